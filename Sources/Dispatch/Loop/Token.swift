import Journal
import Linux

/// What a readiness refers to.
enum Token: Equatable {
  case source
  case signals
  /// Of the child of a plugin: its standard input, its end, what it prints, whether it has become its
  /// program.
  case pluginInput(PluginID)
  case pluginEnd(PluginID)
  case pluginOutput(PluginID)
  case pluginStart(PluginID)
  case control
  case client(ControlClient.ID)
  case helperOutput
  case spool
  case keeper
  case passedOutput(PassedOutput.ID)
  case outputSink
  case loading
  case receiver
  case receiverOutput
  case front
  case starter
  case straggler(Stragglers.ID)
  case node
  case folder

  /// As the poller keeps it: a kind in the upper half, which of them in the lower.
  var word: UInt64 {
    let (kind, which): (UInt64, UInt32) =
      switch self {
      case .source: (1, 0)
      case .signals: (2, 0)
      case .pluginInput(let id): (3, id.value)
      case .pluginEnd(let id): (4, id.value)
      case .pluginOutput(let id): (5, id.value)
      case .control: (6, 0)
      case .client(let id): (7, id.value)
      case .helperOutput: (8, 0)
      case .spool: (9, 0)
      case .keeper: (10, 0)
      case .passedOutput(let id): (11, id.value)
      case .outputSink: (12, 0)
      case .loading: (13, 0)
      case .receiver: (14, 0)
      case .receiverOutput: (15, 0)
      case .front: (16, 0)
      case .starter: (17, 0)
      case .pluginStart(let id): (18, id.value)
      case .straggler(let id): (19, id.value)
      case .node: (20, 0)
      case .folder: (21, 0)
      }
    return kind << 32 | UInt64(which)
  }

  init(word: UInt64) {
    let which = UInt32(truncatingIfNeeded: word)
    self =
      switch word >> 32 {
      case 1: .source
      case 2: .signals
      case 3: .pluginInput(.init(which))
      case 4: .pluginEnd(.init(which))
      case 5: .pluginOutput(.init(which))
      case 6: .control
      case 7: .client(.init(which))
      case 8: .helperOutput
      case 9: .spool
      case 10: .keeper
      case 11: .passedOutput(.init(which))
      case 12: .outputSink
      case 13: .loading
      case 14: .receiver
      case 15: .receiverOutput
      case 16: .front
      case 17: .starter
      case 18: .pluginStart(.init(which))
      case 19: .straggler(.init(which))
      case 20: .node
      case 21: .folder
      default: preconditionFailure("a token that was never given out")
      }
  }
}

extension Poller {
  func add(_ fd: Int32, _ token: Token, _ interest: Interest) -> Bool {
    add(fd, token.word, interest)
  }

  func watch(_ fd: Int32, _ token: Token, _ interest: Interest) throws(SystemError) {
    try watch(fd, token.word, interest)
  }

  @discardableResult
  func change(_ fd: Int32, _ token: Token, _ interest: Interest) -> Bool {
    change(fd, token.word, interest)
  }
}
