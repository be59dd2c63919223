/* Levels of log records by the words that users write. */
#include "common/level.h"

#include <string.h>
#include <syslog.h>

int level_parse(const char *text)
{
	static const int levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(text, level_name(levels[i])) == 0)
			return levels[i];
	return -1;
}

const char *level_name(int level)
{
	static const char *const names[] = {
	        [LOG_EMERG] = "emergency", [LOG_ALERT] = "alert",     [LOG_CRIT] = "critical",
	        [LOG_ERR] = "error",       [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
	        [LOG_INFO] = "info",       [LOG_DEBUG] = "debug",
	};

	if (level < LOG_EMERG || level > LOG_DEBUG)
		return "info";
	return names[level];
}
