#include <sys/types.h>
#include <libaudit.h>
