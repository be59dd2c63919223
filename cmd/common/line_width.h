/* How wide the lines of a terminal are. */
#ifndef LINE_WIDTH_H
#define LINE_WIDTH_H

/* Places in a line of the terminal fd; 0: it is none. */
int line_width(int fd);

#endif
