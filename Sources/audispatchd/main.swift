import Configuration
import Dispatching
import Glibc
import Linux

exit(start())
