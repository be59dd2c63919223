/* What stdout is, where it is a terminal. */
#ifndef VIEW_TERMINAL_H
#define VIEW_TERMINAL_H

#include <stdbool.h>

/* Places in a line; 0: stdout is no terminal. */
int terminal_width(void);

/* A terminal, and NO_COLOR does not forbid it. */
bool terminal_has_color(void);

#endif
