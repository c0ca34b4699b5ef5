import Glibc

/// Where names of users and groups are looked up that the lines do not bring (auditd's enrichment,
/// `log_format = ENRICHED`).
public struct AccountLookup: Sendable {
  public var user: @Sendable (UInt32) -> String?
  public var group: @Sendable (UInt32) -> String?
  public var userNumber: @Sendable (String) -> UInt32?

  public init(
    user: @escaping @Sendable (UInt32) -> String?, group: @escaping @Sendable (UInt32) -> String?,
    userNumber: @escaping @Sendable (String) -> UInt32?
  ) {
    self.user = user
    self.group = group
    self.userNumber = userNumber
  }

  /// Nowhere: for events of other hosts.
  public static let none = AccountLookup(
    user: { _ in nil }, group: { _ in nil }, userNumber: { _ in nil })

  /// On this host, as `getpwuid_r` and `getgrgid_r` find them: perhaps in a directory server, which
  /// may block.
  public static let host = AccountLookup(
    user: { number in
      unsafe withRoom { (entry: inout passwd, room) in
        var found: UnsafeMutablePointer<passwd>?
        guard
          unsafe getpwuid_r(number, &entry, room.baseAddress!, room.count, &found) == 0,
          unsafe found != nil, let name: UnsafeMutablePointer<CChar> = unsafe entry.pw_name
        else { return nil }
        return unsafe String(cString: name)
      }
    },
    group: { number in
      unsafe withRoom { (entry: inout group, room) in
        var found: UnsafeMutablePointer<group>?
        guard
          unsafe getgrgid_r(number, &entry, room.baseAddress!, room.count, &found) == 0,
          unsafe found != nil, let name: UnsafeMutablePointer<CChar> = unsafe entry.gr_name
        else { return nil }
        return unsafe String(cString: name)
      }
    },
    userNumber: { name in
      unsafe withRoom { (entry: inout passwd, room) in
        var found: UnsafeMutablePointer<passwd>?
        guard
          unsafe getpwnam_r(name, &entry, room.baseAddress!, room.count, &found) == 0,
          unsafe found != nil
        else { return nil }
        return unsafe entry.pw_uid
      }
    })
}

/// Room for an account's texts; a group of tens of thousands does not fit, and has no name then.
private func withRoom<Entry, Result>(
  _ body: (inout Entry, UnsafeMutableBufferPointer<CChar>) -> Result?
) -> Result? where Entry: BitwiseCopyable {
  unsafe withUnsafeTemporaryAllocation(of: Entry.self, capacity: 1) { entry in
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256 << 10) { room in
      unsafe body(&entry[0], room)
    }
  }
}

/// Names that were found, for as long as they are not forgotten; bounded.
struct AccountCache: Sendable {
  private static let most = 16_384
  let lookup: AccountLookup
  /// Whether numbers are those of the host that is asked: another's are other people's.
  var isAsked = true
  private var users: [UInt32: [UInt8]?] = [:]
  private var groups: [UInt32: [UInt8]?] = [:]
  private var numbers: [[UInt8]: [UInt8]?] = [:]
  /// Most of an event's numbers are one.
  private var lastUser: (number: UInt32, name: [UInt8]?)?
  private var lastGroup: (number: UInt32, name: [UInt8]?)?

  init(_ lookup: AccountLookup) { self.lookup = lookup }

  mutating func forget() {
    (lastUser, lastGroup) = (nil, nil)
    users.removeAll(keepingCapacity: true)
    groups.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
  }

  mutating func user(_ number: UInt32) -> [UInt8]? {
    guard isAsked else { return nil }
    if let lastUser, lastUser.number == number { return lastUser.name }
    let name = knownUser(number)
    lastUser = (number, name)
    return name
  }

  private mutating func knownUser(_ number: UInt32) -> [UInt8]? {
    if let known = users[number] { return known }
    if users.count >= Self.most { users.removeAll(keepingCapacity: true) }
    let name = lookup.user(number).map { Array($0.utf8) }
    users[number] = .some(name)
    return name
  }

  mutating func group(_ number: UInt32) -> [UInt8]? {
    guard isAsked else { return nil }
    if let lastGroup, lastGroup.number == number { return lastGroup.name }
    let name = knownGroup(number)
    lastGroup = (number, name)
    return name
  }

  private mutating func knownGroup(_ number: UInt32) -> [UInt8]? {
    if let known = groups[number] { return known }
    if groups.count >= Self.most { groups.removeAll(keepingCapacity: true) }
    let name = lookup.group(number).map { Array($0.utf8) }
    groups[number] = .some(name)
    return name
  }

  mutating func number(_ name: ArraySlice<UInt8>) -> [UInt8]? {
    guard isAsked else { return nil }
    let key = Array(name)
    if let known = numbers[key] { return known }
    if numbers.count >= Self.most { numbers.removeAll(keepingCapacity: true) }
    let number = String(validating: key, as: UTF8.self).flatMap { lookup.userNumber($0) }
    let digits = number.map { Array(String($0).utf8) }
    numbers[key] = .some(digits)
    return digits
  }
}
