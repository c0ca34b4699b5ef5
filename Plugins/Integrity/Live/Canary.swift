import AudispatchPlugin
import Linux

/// Proves that the whole chain works: what a process with a known login uid does in a folder of a
/// root must come back by audit, with that login uid, and by the watch of the files, within a time.
/// A value without a clock and without a process: it is told what came, and says what is missing.
struct Canary: Equatable, Sendable {
  enum Step: String, CaseIterable, Sendable { case made, changed, renamed, removed }

  /// How long each step may take to come back.
  static let patience = Duration.seconds(10)

  let folder: FilePath
  let login: UInt32
  private(set) var isRunning = false
  private var told: Set<Step> = []
  private var otherLogin: Login?
  private var isSeen = false
  private(set) var deadline = Duration.zero

  init(in root: FilePath, login: UInt32) {
    folder = root.appending(CanarySteps.folder)
    self.login = login
  }

  mutating func begin(at now: Duration) {
    self = Canary(in: folder.folder, login: login)
    isRunning = true
    deadline = now + Self.patience
  }

  mutating func end() { isRunning = false }

  /// Whether everything has come back.
  var isProven: Bool { isSeen && told.count == Step.allCases.count && otherLogin == nil }

  /// Takes what audit tells; whether it is the canary's.
  mutating func take(_ deed: Deed) {
    guard isRunning, deed.items.contains(where: { $0.path?.folder == folder }) else { return }
    guard deed.author.login == .user(login) else {
      // Whoever else is in there is none of its business, but as the canary he has another name.
      if deed.program.arguments.contains(Array(HelperProcess.word.utf8)) {
        otherLogin = deed.author.login
      }
      return
    }
    if deed.moves {
      told.insert(.renamed)
    } else if deed.items.contains(where: { $0.role == .created }) {
      told.insert(.made)
    } else if deed.items.contains(where: { $0.role == .deleted }) {
      told.insert(.removed)
    } else if !deed.effect.isDisjoint(with: .attributes) {
      told.insert(.changed)
    }
  }

  /// Takes what the watch of the files tells.
  mutating func take(_ notice: FileNotice) {
    if isRunning, notice.path.folder == folder { isSeen = true }
  }

  /// What is broken, as sentences.
  var findings: [String] {
    var findings: [String] = []
    if told.isEmpty, otherLogin == nil {
      findings.append("no audit record of it has come")
    } else if let otherLogin {
      findings.append("audit gives it the login uid \(otherLogin.shown) instead of \(login)")
    } else {
      let missing = Step.allCases.filter { !told.contains($0) }.map(\.rawValue)
      if !missing.isEmpty {
        findings.append("audit does not tell that it was \(missing.joined(separator: ", "))")
      }
    }
    if !isSeen { findings.append("the watch of the files has not seen it") }
    return findings
  }
}

extension Login {
  /// In a sentence, and in a record.
  var shown: String {
    switch self {
    case .user(let number): String(number)
    case .unset: "unset"
    case .unknown: "unknown"
    }
  }
}
