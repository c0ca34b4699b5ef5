import CAudispatch
import Glibc

extension Descriptor {
  /// Takes the file's exclusive lock if nobody has it. The corresponding call is `flock`.
  public borrowing func tryLock() -> Bool { ad_flock_exclusive(number, false) == 0 }

  /// Gives the lock back, also where others have copies of this descriptor.
  public borrowing func unlock() { _ = ad_flock_release(number) }
}
