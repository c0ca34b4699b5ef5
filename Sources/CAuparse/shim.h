#include <sys/types.h>
#include <auparse.h>
