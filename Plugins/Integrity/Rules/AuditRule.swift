/// A rule of the kernel's audit, as far as ours need one: `struct audit_rule_data` of linux/audit.h.
struct AuditRule: Equatable, Sendable {
  enum List: UInt32, Sendable {
    case task = 1
    case exit = 4
    case uring = 7
  }

  enum Action: UInt32, Sendable { case never = 0, always = 2 }

  enum Field: Equatable, Sendable {
    case architecture(UInt32)
    case folder([UInt8])
    case file([UInt8])
    /// Of the bits 8 (attributes) and 2 (writing).
    case permissions(UInt32)
    /// Of calls that have done something.
    case success
    /// The second argument of the call.
    case request(UInt32)
    case key([UInt8])
    /// One that ours do not have.
    case other(UInt32, UInt32)
  }

  var list: UInt32
  var action: UInt32
  /// Bits of the calls that it is about; of `nil` all.
  var calls: [Int]?
  var fields: [Field]

  init(_ list: List, _ action: Action = .always, calls: [Int]? = nil, fields: [Field]) {
    self.list = list.rawValue
    self.action = action.rawValue
    self.calls = calls
    self.fields = fields
  }

  private static let words = 64
  private static let mostFields = 64
  /// The last bits of the mask stand for classes of calls.
  private static let classes = 16
  private static let equal: UInt32 = 0x4000_0000
  /// In front of all others of its list, so that none says "never" before.
  private static let first: UInt32 = 0x10

  var key: [UInt8]? {
    for case .key(let key) in fields { return key }
    return nil
  }

  /// That of all rules of this program.
  static let ownKey = Array(IntegrityOptions.ownKey.utf8)

  /// What is sent to the kernel.
  ///
  /// - Parameter isFirst: the rule goes in front of the others of its list; one that is deleted has
  ///   no place.
  func encoded(isFirst: Bool) -> [UInt8] {
    var mask = [UInt32](repeating: 0, count: Self.words)
    for call in calls ?? Array(0..<(Self.words * 32 - Self.classes)) {
      mask[call / 32] |= 1 << UInt32(call % 32)
    }
    var text: [UInt8] = []
    var kinds: [UInt32] = []
    var values: [UInt32] = []
    func add(_ kind: UInt32, _ value: UInt32) {
      kinds.append(kind)
      values.append(value)
    }
    func add(_ kind: UInt32, _ string: [UInt8]) {
      add(kind, UInt32(string.count))
      text += string
    }
    for field in fields {
      switch field {
      case .architecture(let number): add(11, number)
      case .folder(let path): add(107, path)
      case .file(let path): add(105, path)
      case .permissions(let bits): add(106, bits)
      case .success: add(104, 1)
      case .request(let number): add(201, number)
      case .key(let key): add(210, key)
      case .other(let kind, let value): add(kind, value)
      }
    }
    func padded(_ numbers: [UInt32]) -> [UInt32] {
      numbers + [UInt32](repeating: 0, count: Self.mostFields - numbers.count)
    }
    let numbers =
      [isFirst ? list | Self.first : list, action, UInt32(fields.count)] + mask + padded(kinds)
      + padded(values)
      + padded(kinds.map { _ in Self.equal }) + [UInt32(text.count)]
    var bytes: [UInt8] = []
    for number in numbers { unsafe withUnsafeBytes(of: number) { unsafe bytes += $0 } }
    return bytes + text
  }

  /// What the kernel says; `nil` where it makes no sense.
  init?(_ bytes: [UInt8]) {
    let count = 3 + Self.words + 3 * Self.mostFields + 1
    guard bytes.count >= count * 4 else { return nil }
    let numbers = (0..<count).map { index in
      (0..<4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[index * 4 + $1]) }
    }
    guard numbers[2] <= Self.mostFields else { return nil }
    list = numbers[0] & ~Self.first
    action = numbers[1]
    let mask = numbers[3..<(3 + Self.words)]
    let bits = (0..<(Self.words * 32 - Self.classes)).filter { bit in
      mask[3 + bit / 32] >> UInt32(bit % 32) & 1 != 0
    }
    calls = bits.count == Self.words * 32 - Self.classes ? nil : bits
    fields = []
    var text = bytes[(count * 4)...]
    for index in 0..<Int(numbers[2]) {
      let kind = numbers[3 + Self.words + index]
      let value = numbers[3 + Self.words + Self.mostFields + index]
      switch kind {
      case 11: fields.append(.architecture(value))
      case 104: fields.append(value == 1 ? .success : .other(kind, value))
      case 106: fields.append(.permissions(value))
      case 201: fields.append(.request(value))
      case 105, 107, 210, 13...17, 19...23, 112:
        guard text.count >= Int(value) else { return nil }
        let string = Array(text.prefix(Int(value)))
        text = text.dropFirst(Int(value))
        switch kind {
        case 105: fields.append(.file(string))
        case 107: fields.append(.folder(string))
        case 210: fields.append(.key(string))
        default: fields.append(.other(kind, value))
        }
      default: fields.append(.other(kind, value))
      }
    }
  }
}
