import Glibc

exit(KernelSource.run(CommandLine.arguments))
