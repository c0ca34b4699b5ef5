import AuditRecord

/// One event, put together from its records: what the documents in ECS's and go-libaudit's way
/// are written from. Its places are in `text`.
struct EventFacts: Sendable {
  /// A user or group by number or name.
  struct Entity: Equatable, Sendable {
    var id: Text?
    var name: Text?
    /// The number stands for nobody.
    var isUnset = false

    var isEmpty: Bool { id == nil && name == nil && !isUnset }
  }

  struct File: Equatable, Sendable {
    /// Which of the event's paths it is.
    var place: Int
    var path: Text?
    var device: Text?
    var inode: Text?
    /// Four octal digits: permissions with setuid, setgid and sticky bits.
    var mode: Text?
    var uid: Text?
    var gid: Text?
    /// Names of both, where auditd added them.
    var ownerName: Text?
    var groupName: Text?
  }

  struct Address: Equatable, Sendable {
    var ip: Text?
    var port: Text?
    var path: Text?
  }

  enum Direction: Sendable { case ingress, egress }

  var text = EventText()
  var stamp = RecordStamp(milliseconds: 0, serial: 0)
  var kind = RecordKind()
  var category: StaticString = "unknown"
  var result: Text?
  var session: Text?
  var tags: [Text] = []

  var actor: Text?
  var actingAs: Text?
  var action: [UInt8] = []
  var objectType: [UInt8] = []
  var object: Text?
  var secondaryObject: Text?
  var how: Text?

  var identities = FieldMap()
  var subjectLabel = FieldMap()
  /// Names of users and groups that the lines bring, by the name of their number (`auid`).
  var accounts = FieldMap()

  var pid: Text?
  var parent: Text?
  var title: Text?
  var name: Text?
  var executable: Text?
  var directory: Text?
  var arguments: [Text] = []

  var file: File?
  var fileLabel = FieldMap()
  var source: Address?
  var destination: Address?
  var direction: Direction?

  var data = FieldMap()
  /// The PATH records; of the maps only the first `pathCount` are in use.
  var paths: [FieldMap] = []
  var pathCount = 0

  var ecsKind: [UInt8] = []
  var categories: [[UInt8]] = []
  var types: [[UInt8]] = []
  var isFailure = false
  var user = Entity()
  var effective = Entity()
  var target = Entity()
  var changes = Entity()
  var group = Entity()

  var warnings: [String] = []
  /// Fields that were left out: there is a bound, so that no event takes long.
  var omitted = 0
  static let mostFields = 4096
  static let mostKeys = 256
  /// Bytes of the text beyond which no argument is put together any more.
  static let mostText = 8 << 20

  mutating func begin(_ lines: [UInt8], _ stamp: RecordStamp) {
    text.begin(lines)
    self.stamp = stamp
    (result, session, actor, actingAs) = (nil, nil, nil, nil)
    (object, secondaryObject, how) = (nil, nil, nil)
    (pid, parent, title, name, executable, directory) = (nil, nil, nil, nil, nil, nil)
    (action, objectType, ecsKind) = ([], [], [])
    (categories, types) = ([], [])
    (file, source, destination, direction) = (nil, nil, nil, nil)
    isFailure = false
    omitted = 0
    pathCount = 0
    tags.removeAll(keepingCapacity: true)
    arguments.removeAll(keepingCapacity: true)
    warnings.removeAll(keepingCapacity: true)
    identities.removeAll()
    subjectLabel.removeAll()
    accounts.removeAll()
    fileLabel.removeAll()
    data.removeAll()
    (user, effective, target, changes, group) = (
      Entity(), Entity(), Entity(), Entity(), Entity()
    )
  }

  /// A value of the event by the name of its field: data, else an identity.
  func value(_ name: [UInt8]) -> Text? { data.value(name, text) ?? identities.value(name, text) }

  /// Adds a field to the data; counts it if there are too many.
  mutating func addData(_ entry: FieldMap.Entry) {
    if data.entries.count < Self.mostFields { data.add(entry) } else { omitted += 1 }
  }

  mutating func addPath() {
    if pathCount == paths.count { paths.append(FieldMap()) }
    paths[pathCount].removeAll()
    pathCount += 1
  }
}

/// What kind of event a type of record makes, in the words of libauparse's normalizer, as
/// go-libaudit gives them.
enum EventCategory {
  static func name(_ type: UInt32) -> StaticString {
    switch type {
    case 1100...1106, 1108...1110, 1112...1113, 1126: "user-login"
    case 1114...1117, 1132...1133, 1135...1136: "user-account"
    case 2000, 1127...1131: "system-services"
    case 1111, 1305, 1325, 1328...1329: "configuration"
    case 1326: "dac-decision"
    case 1119...1121, 1123, 1125: "user-space"
    case 1124, 1319: "TTY"
    case 1200...1299: "audit-daemon"
    case 1122, 1107, 1502...1503, 1506, 1400...1402: "mac-decision"
    case 1800...1899, 2109: "integrity"
    case 1700...1799, 2100...2108, 2110...2199: "anomaly"
    case 2200...2299: "anomaly-response"
    case 1403...1499, 1500...1501, 1504...1505, 2300...2399: "mac"
    case 1600...1699, 2400...2499: "crypto"
    case 2500...2599: "virt"
    case 1300...1304, 1306...1315, 1317...1318, 1321...1324: "audit-rule"
    default: "unknown"
    }
  }
}
