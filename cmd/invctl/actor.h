/* Who makes the requests of this command, for their records. */
#ifndef ACTOR_H
#define ACTOR_H

/* Find the terminal that it was typed at, and the script that called it. */
void actor_find(void);

#endif
