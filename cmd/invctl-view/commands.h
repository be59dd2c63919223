/* The subcommands of invctl-view. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "common/command.h"

extern const struct command command_list;
extern const struct command command_logs;
extern const struct command command_show;
extern const struct command command_status;

#endif
