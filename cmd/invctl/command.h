/* The subcommands of invctl. */
#ifndef COMMAND_H
#define COMMAND_H

#include "common/command.h"

extern const struct command command_cancel;
extern const struct command command_check;
extern const struct command command_hold;
extern const struct command command_id;
extern const struct command command_log;
extern const struct command command_pause;
extern const struct command command_release;
extern const struct command command_resume;
extern const struct command command_run;
extern const struct command command_shield;
extern const struct command command_sleep;
extern const struct command command_stop_all;
extern const struct command command_wait;
extern const struct command command_why;

#endif
