/// The daemon's status document. What a newer daemon adds is passed over.
struct Status: Decodable, Equatable {
  struct Daemon: Decodable, Equatable {
    var pid: Int
    var version: String
    var uptimeSeconds: Double

    enum CodingKeys: String, CodingKey {
      case pid, version
      case uptimeSeconds = "uptime_seconds"
    }
  }

  struct Source: Decodable, Equatable {
    var kind: String
    var records: UInt64
    var events: UInt64
    var bytes: UInt64
    var malformed: UInt64
    var kernelLost: UInt64
    var receiveOverruns: UInt64
    /// Not told by a daemon that is older.
    var readerQueueLost: UInt64?
    var unreadEventsMax: UInt64?

    enum CodingKeys: String, CodingKey {
      case kind, records, events, bytes, malformed
      case kernelLost = "kernel_lost"
      case receiveOverruns = "receive_overruns"
      case readerQueueLost = "reader_queue_lost"
      case unreadEventsMax = "unread_events_max"
    }
  }

  /// There is none without durable plugins.
  struct Spool: Decodable, Equatable {
    /// What waits for a plugin that is not active.
    struct Gone: Decodable, Equatable {
      var name: String
      var records: UInt64
      var since: UInt64
    }

    var state: String
    var folder: String
    var trouble: String
    var gone: [Gone]
  }

  struct Plugin: Decodable, Equatable {
    struct Limits: Decodable, Equatable {
      var records: UInt64
      var bytes: UInt64
      var spoolBytes: UInt64?
      var overflowAction: String

      enum CodingKeys: String, CodingKey {
        case records, bytes
        case spoolBytes = "spool_bytes"
        case overflowAction = "overflow_action"
      }
    }

    struct Exit: Decodable, Equatable {
      var status: Int?
      var signal: Int?
      var at: UInt64
    }

    struct Message: Decodable, Equatable {
      var text: String
      var at: UInt64
    }

    var name: String
    var state: String
    /// 0 while no process runs.
    var pid: Int
    var received: UInt64
    var delivered: UInt64
    var redelivered: UInt64
    var queued: UInt64
    var queuedBytes: UInt64
    var dropped: [String: UInt64]
    var restarts: UInt64
    // What follows an older daemon does not say.
    var limits: Limits?
    var lastExit: Exit?
    var lastMessage: Message?
    var nextAttemptSeconds: UInt64?
    /// Since the plugin has read anything, while something waits for it.
    var idleSeconds: UInt64?
    /// Since its program was to be executed, which has not happened yet.
    var startingSeconds: UInt64?
    /// Processes of it that were killed at their start, and do not end.
    var leftBehind: UInt64?

    enum CodingKeys: String, CodingKey {
      case name, state, pid, received, delivered, redelivered, queued, dropped, restarts
      case limits
      case queuedBytes = "queued_bytes"
      case lastExit = "last_exit"
      case lastMessage = "last_message"
      case nextAttemptSeconds = "next_attempt_seconds"
      case idleSeconds = "idle_seconds"
      case startingSeconds = "starting_seconds"
      case leftBehind = "left_behind"
    }
  }

  var daemon: Daemon
  var source: Source
  var spool: Spool?
  var plugins: [Plugin]
  /// Files of inactive plugins, of which `plugins` has the first only.
  var inactive: Int?
}
