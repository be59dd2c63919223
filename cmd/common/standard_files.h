/* stdin, stdout and stderr that the caller may have closed, or that may be full. */
#ifndef STANDARD_FILES_H
#define STANDARD_FILES_H

/*
 * Make sure that descriptors 0 to 2 are taken, so that no file opened later
 * lands there and is written to by mistake. What the caller had closed stays
 * unusable (a write to it fails), and is closed again for programs executed.
 */
void standard_files_open(void);

/*
 * From now on exit() checks that all output has reached stdout. Where it has
 * not (a full disk, a closed descriptor), it says so and exits with EXIT_INTERNAL.
 */
void standard_files_check_at_exit(void);

#endif
