import Glibc

exit(start())
