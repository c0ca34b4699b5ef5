import CAudispatch
import Glibc

/// The orphans among this process's descendants become its children. The call is
/// `prctl(PR_SET_CHILD_SUBREAPER)`.
public func becomeSubreaper() -> Bool { ad_become_subreaper() == 0 }

/// This process is killed when the thread that has started it ends. The call is
/// `prctl(PR_SET_PDEATHSIG)`.
public func endWithParent() { ad_end_with_parent() }

/// Keeps everybody but root from looking into this process's memory, for as long as it executes no
/// other program; no core of it is written either. The call is `prctl(PR_SET_DUMPABLE)`.
public func keepMemoryPrivate() { _ = ad_keep_private() }

/// Raises the limit on this process's descriptors as far as it may; those that it starts have the one
/// that it was started with. The call is `setrlimit(RLIMIT_NOFILE)`.
public func raiseDescriptorLimit() { ad_raise_file_limit() }

/// How many descriptors this process could have, were its limit raised. The call is
/// `getrlimit(RLIMIT_NOFILE)`.
public var mostDescriptors: Int64 {
  var limit = rlimit()
  guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
  return Int64(clamping: limit.rlim_max)
}

/// What `ps` calls this process. The call is `prctl(PR_SET_NAME)`.
public func setProcessName(_ name: String) { _ = unsafe ad_set_name(name) }

/// Lets go of the program text that was needed to start and is not needed to go on; what is comes
/// back with the next use, at some microseconds for each 64 KiB.
public func forgetStartingCode() { ad_forget_text() }
