import CKafka
import Glibc
import Linux
import Shipping

/// What librdkafka or a broker said is wrong.
struct KafkaProblem: Error, Equatable, CustomStringConvertible {
  /// Of `rd_kafka_resp_err_t`; below 0: librdkafka's own.
  let code: Int32
  let description: String

  init(_ code: Int32, _ text: String) {
    self.code = code
    description = text
  }

  init(_ code: rd_kafka_resp_err_t, _ text: String? = nil) {
    self.init(code.rawValue, text ?? Self.text(code))
  }

  private static func text(_ code: rd_kafka_resp_err_t) -> String {
    unsafe String(cString: rd_kafka_err2str(code))
  }

  /// Whether a broker refuses to let us ask, or cannot.
  var isRefusal: Bool {
    [
      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
      RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
    ].contains { $0.rawValue == code }
  }

  /// Whether a message is why, and will be for ever.
  var isOfMessage: Bool {
    [
      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
      RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_INVALID_RECORD,
    ].contains { $0.rawValue == code }
  }

  /// In words: a broker's name and what the system said of it tell more than that nobody answered.
  ///
  /// - Parameter noted: what was said last that is wrong.
  func described(_ noted: String?) -> String { code < 0 ? noted ?? description : description }

  /// Whether it only says that another message is why, or that we ended it.
  var isConsequence: Bool {
    [
      RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
      RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE,
    ].contains { $0.rawValue == code }
  }
}

/// librdkafka's word about a message.
struct Delivery: Equatable {
  /// Which, as it was numbered.
  let number: Int
  /// `nil`: it is stored.
  let problem: KafkaProblem?
  let mayBeStored: Bool
}

enum KafkaEvent: Equatable {
  case delivered([Delivery])
  case problem(KafkaProblem)
  case other

  /// What is wrong, in words that stay the same while it does; `nil` where nothing is, or where
  /// another event says it.
  var problem: String? {
    guard case .problem(let problem) = self, !problem.isConsequence else { return nil }
    let text = problem.description
    // How long it was connected before differs each time.
    let end = text.firstRange(of: " (after ")?.lowerBound ?? text.endIndex
    return String(text[..<end])
  }
}

/// An instance of librdkafka, which ends with it.
final class KafkaHandle: Sendable {
  private static let textSize = 512
  private let address: UInt

  var raw: OpaquePointer { unsafe OpaquePointer(bitPattern: address)! }

  /// Connects later, when something is asked.
  init(_ kind: rd_kafka_type_t, _ settings: KafkaSettings) throws(KafkaProblem) {
    let conf = unsafe rd_kafka_conf_new()
    var why = [CChar](repeating: 0, count: Self.textSize)
    for (name, value) in settings.all.sorted(by: { $0.key < $1.key }) {
      let result = unsafe rd_kafka_conf_set(conf, name, value, &why, why.count)
      if result == RD_KAFKA_CONF_UNKNOWN, KafkaSettings.ofLaterLibraries.contains(name) { continue }
      guard result == RD_KAFKA_CONF_OK else {
        unsafe rd_kafka_conf_destroy(conf)
        throw KafkaProblem(RD_KAFKA_RESP_ERR__INVALID_ARG, Self.text(why))
      }
    }
    unsafe rd_kafka_conf_set_log_cb(conf, nil)
    unsafe rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
    guard let made = unsafe rd_kafka_new(kind, conf, &why, why.count) else {
      unsafe rd_kafka_conf_destroy(conf)
      throw KafkaProblem(RD_KAFKA_RESP_ERR__INVALID_ARG, Self.text(why))
    }
    address = UInt(bitPattern: made)
  }

  deinit { unsafe rd_kafka_destroy_flags(raw, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }

  static func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func check(_ code: rd_kafka_resp_err_t) throws(KafkaProblem) {
    if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaProblem(code) }
  }

  // MARK: What happens

  /// The next thing that happens, within so many milliseconds.
  func nextEvent(within milliseconds: Int32) -> KafkaEvent? {
    let queue = unsafe rd_kafka_queue_get_main(raw)
    defer { unsafe rd_kafka_queue_destroy(queue) }
    guard let event = unsafe rd_kafka_queue_poll(queue, milliseconds) else { return nil }
    defer { unsafe rd_kafka_event_destroy(event) }
    switch unsafe rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_DR:
      var all: [Delivery] = []
      while let message = unsafe rd_kafka_event_message_next(event) {
        unsafe all.append(Self.delivery(message))
      }
      return .delivered(all)
    case RD_KAFKA_EVENT_ERROR:
      return .problem(
        unsafe KafkaProblem(
          rd_kafka_event_error(event),
          rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }))
    default: return .other
    }
  }

  /// Takes what has happened, and keeps the last of it that is wrong.
  func takeEvents(noting problem: inout String?) {
    while let event = nextEvent(within: 0) { problem = event.problem ?? problem }
  }

  private static func delivery(_ message: UnsafePointer<rd_kafka_message_t>) -> Delivery {
    let code = unsafe message.pointee.err
    return unsafe Delivery(
      number: Int(bitPattern: message.pointee._private) - 1,
      problem: code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaProblem(code),
      mayBeStored: rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
  }

  // MARK: What is sent

  /// Puts a message into the queue of those that are sent.
  ///
  /// - Parameter number: by which it is known when it was delivered.
  func produce(
    _ message: OutgoingMessage, to topic: String, partition: Int32, number: Int
  ) throws(KafkaProblem) {
    let error = unsafe topic.withCString { topic in
      unsafe message.node.withUnsafeBytes { node in
        unsafe message.id.withUnsafeBytes { id in
          unsafe message.body.withUnsafeBytes { body in
            var all = unsafe [
              rd_kafka_vu_t(RD_KAFKA_VTYPE_TOPIC) { unsafe $0.cstr = topic },
              rd_kafka_vu_t(RD_KAFKA_VTYPE_PARTITION) { unsafe $0.i32 = partition },
              rd_kafka_vu_t(RD_KAFKA_VTYPE_KEY) {
                unsafe $0.mem.ptr = UnsafeMutableRawPointer(mutating: node.baseAddress)
                unsafe $0.mem.size = node.count
              },
              rd_kafka_vu_t(RD_KAFKA_VTYPE_VALUE) {
                unsafe $0.mem.ptr = UnsafeMutableRawPointer(mutating: body.baseAddress)
                unsafe $0.mem.size = body.count
              },
              rd_kafka_vu_t(RD_KAFKA_VTYPE_HEADER) {
                unsafe $0.header.name = KafkaHandle.idHeader
                unsafe $0.header.val = id.baseAddress
                unsafe $0.header.size = id.count
              },
              rd_kafka_vu_t(RD_KAFKA_VTYPE_TIMESTAMP) {
                unsafe $0.i64 = Int64(clamping: message.milliseconds)
              },
              rd_kafka_vu_t(RD_KAFKA_VTYPE_OPAQUE) {
                unsafe $0.ptr = UnsafeMutableRawPointer(bitPattern: number + 1)
              },
              // RD_KAFKA_MSG_F_COPY, which Swift cannot read.
              rd_kafka_vu_t(RD_KAFKA_VTYPE_MSGFLAGS) { unsafe $0.i = 2 },
            ]
            return unsafe rd_kafka_produceva(raw, &all, all.count)
          }
        }
      }
    }
    guard let error = unsafe error else { return }
    defer { unsafe rd_kafka_error_destroy(error) }
    throw unsafe KafkaProblem(
      rd_kafka_error_code(error), String(cString: rd_kafka_error_string(error)))
  }

  /// Gives up what is queued and what is under way: each is said to be delivered, with a problem.
  func purge() {
    unsafe rd_kafka_purge(raw, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
  }

  /// The header of a message that has its event's id, for as long as the process.
  static let idName = "event.id"
  private static let idHeaderAddress = unsafe UInt(bitPattern: strdup(idName))
  static var idHeader: UnsafePointer<CChar> {
    unsafe UnsafePointer(bitPattern: idHeaderAddress)!
  }
}

extension rd_kafka_vu_t {
  fileprivate init(
    _ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t.__Unnamed_union_u) -> Void
  ) {
    unsafe self.init()
    unsafe vtype = type
    unsafe set(&u)
  }
}
