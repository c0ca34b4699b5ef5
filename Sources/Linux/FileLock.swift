import CAudispatch
import Glibc

extension Descriptor {
  /// Takes the file's exclusive lock if nobody has it. The corresponding call is `flock`.
  public borrowing func tryLock() -> Bool { ad_flock_exclusive(number, false) == 0 }
}
