import AudispatchPlugin
import AuditRecord

/// What an event says of processes. Places are in the event's bytes.
struct ProcessEvent {
  enum Kind: Equatable { case other, exec, fork, exit }

  /// A process that the event was done to (`OBJ_PID`).
  private(set) var objects: [Int32] = []
  private(set) var pid: Int32 = 0
  private(set) var parent: Int32 = 0
  private(set) var kind = Kind.other
  private(set) var isSuccess = false
  /// What the call returned: of a fork the child's pid, where the caller is.
  private(set) var result = 0
  /// The first argument of the call.
  private(set) var flags: UInt64 = 0
  private var hasFlags = false
  private(set) var name: Range<Int>?
  private(set) var executable: Range<Int>?
  /// Whether both stood in quotes; else they are hexadecimal.
  private(set) var isNameQuoted = false
  private(set) var isExecutableQuoted = false
  private(set) var session: UInt32?
  private(set) var key: Field?
  private(set) var call: EventRecord?
  /// A name that was looked up first, and the place of the file in a file system.
  private(set) var firstPath: EventRecord?
  private(set) var directory: EventRecord?
  private(set) var hasArguments = false

  init(_ event: AuditEvent) {
    for record in event.records {
      switch record.type.rawValue {
      case 1300: if call == nil { read(record, event.bytes) }
      case 1302: if firstPath == nil { firstPath = record }
      case 1307: directory = record
      case 1309: hasArguments = true
      case 1318:
        if objects.count < 64, let field = event.field("opid", of: record),
          let pid = Self.number(event.bytes.span, field.value), let pid = Int32(exactly: pid),
          pid > 0
        {
          objects.append(pid)
        }
      default: break
      }
    }
  }

  private mutating func read(_ record: EventRecord, _ bytes: [UInt8]) {
    call = record
    var machine: UInt64 = 0
    var number = -1
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    let span = bytes.span
    while let field = scanner.next(span), field.section == .record {
      switch field.key {
      case NameKey("a0"): flags = Self.hexadecimal(span, field.value) ?? 0
      case NameKey("pid"): pid = Self.pid(span, field.value)
      case NameKey("ppid"): parent = Self.pid(span, field.value)
      case NameKey("key"): key = field
      case NameKey("ses"):
        session = Self.number(span, field.value).flatMap { UInt32(exactly: $0) }
      case NameKey("arch"): machine = Self.hexadecimal(span, field.value) ?? 0
      case NameKey("exit"): result = Self.number(span, field.value) ?? 0
      case NameKey("exe"):
        executable = field.value
        isExecutableQuoted = field.quoting == .double
      case NameKey("comm"):
        self.name = field.value
        isNameQuoted = field.quoting == .double
      case NameKey("syscall"): number = Self.number(span, field.value) ?? -1
      case NameKey("success"):
        isSuccess = !field.value.isEmpty && span[field.value.lowerBound] == 0x79
      default: break
      }
    }
    kind = Self.kind(of: number, machine)
    switch (machine, number) {
    case (0xc000_003e, 56), (0x4000_0003, 120), (0xc000_00b7, 220), (0xc000_00f3, 220):
      hasFlags = true
    default: break
    }
  }

  /// By the numbers of x86_64, i386, aarch64, and what shares the latter's table (riscv64).
  private static func kind(of number: Int, _ machine: UInt64) -> Kind {
    switch (machine, number) {
    case (0xc000_003e, 59), (0xc000_003e, 322), (0x4000_0003, 11), (0x4000_0003, 358),
      (0xc000_00b7, 221), (0xc000_00b7, 281), (0xc000_00f3, 221), (0xc000_00f3, 281):
      .exec
    case (0xc000_003e, 56...58), (0xc000_003e, 435), (0x4000_0003, 2), (0x4000_0003, 120),
      (0x4000_0003, 190), (0x4000_0003, 435), (0xc000_00b7, 220), (0xc000_00b7, 435),
      (0xc000_00f3, 220), (0xc000_00f3, 435):
      .fork
    case (0xc000_003e, 231), (0x4000_0003, 252), (0xc000_00b7, 94), (0xc000_00f3, 94): .exit
    default: .other
    }
  }

  /// Whether a fork made a thread, as far as its flags stand in the call: those of clone do; clone3 has
  /// a pointer there, and fork what was in the register.
  var makesThread: Bool { hasFlags && flags & 0x1_0000 != 0 }

  private static func pid(_ bytes: borrowing Span<UInt8>, _ place: Range<Int>) -> Int32 {
    number(bytes, place).flatMap { Int32(exactly: $0) } ?? 0
  }

  /// A decimal number of at most 18 digits, with or without a minus.
  static func number(_ text: [UInt8]) -> Int? { number(text.span, text.indices) }

  static func number(_ bytes: borrowing Span<UInt8>, _ place: Range<Int>) -> Int? {
    var at = place.lowerBound
    let isNegative = at < place.upperBound && bytes[at] == 0x2d
    if isNegative { at += 1 }
    guard at < place.upperBound, place.upperBound - at <= 18 else { return nil }
    var value = 0
    while at < place.upperBound {
      let digit = bytes[at] &- 0x30
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int(digit)
      at += 1
    }
    return isNegative ? -value : value
  }

  private static func hexadecimal(
    _ bytes: borrowing Span<UInt8>, _ place: Range<Int>
  ) -> UInt64? {
    guard !place.isEmpty, place.count <= 16 else { return nil }
    var value: UInt64 = 0
    for at in place {
      let byte = bytes[at]
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt64(byte - 0x30)
      case 0x61...0x66: value = value << 4 | UInt64(byte - 0x57)
      case 0x41...0x46: value = value << 4 | UInt64(byte - 0x37)
      default: return nil
      }
    }
    return value
  }
}
