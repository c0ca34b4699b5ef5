import Glibc
import Linux

exit(KernelSource.run(ProgramArguments.all))
