/// File systems that are not scanned, by the numbers that statfs(2) and linux/magic.h give.
enum FileSystemKind {
  /// Made up by the kernel while it is read: there is nothing in it to keep.
  static let madeUp: [Int64: String] = [
    0x9fa0: "proc", 0x6265_6572: "sysfs", 0x1cd1: "devpts", 0x27e0eb: "cgroup",
    0x6367_7270: "cgroup2", 0x6462_6720: "debugfs", 0x7472_6163: "tracefs",
    0x7363_6673: "securityfs", 0xf97c_ff8c: "selinuxfs", 0xcafe_4a11: "bpf",
    0x6265_6570: "configfs",
    0x6165_676c: "pstore", 0x1980_0202: "mqueue", 0x6573_5543: "fusectl",
    0x4249_4e4d: "binfmt_misc",
    0xde5e_81e4: "efivarfs", 0x0187: "autofs", 0x6e73_6673: "nsfs", 0x5049_4446: "pidfs",
  ]

  /// Changed by other hosts, without any event here: they are scanned, and that is said.
  static let remote: [Int64: String] = [
    0x6969: "nfs", 0xff53_4d42: "cifs", 0xfe53_4d42: "smb2", 0x0102_1997: "9p",
    0x00c3_6400: "ceph", 0x5346_414f: "afs", 0x7375_7245: "coda", 0x0bd0_0bd0: "lustre",
    0x6573_5546: "fuse",
  ]
}
