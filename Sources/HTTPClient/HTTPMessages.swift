/// How hosts are talked to. The files are read when a connection is made.
public struct HTTPSettings: Equatable, Sendable {
  /// A file of those whose signature a host's certificate needs; `nil`: those that this host trusts.
  public var authorities: String?
  /// Our own certificate, for hosts that ask, and its key.
  public var certificate: String?
  public var key: String?
  /// Through which proxy; `nil`: through none, whatever the environment says.
  public var proxy: String?
  /// Hosts that are reached without the proxy, with commas.
  public var withoutProxy: String?
  public var agent: String
  public var connectTime = Duration.seconds(10)
  /// Lines that go with every request, as that of `Authorization`.
  public var headers: [String] = []

  public init(agent: String) { self.agent = agent }
}

public struct HTTPRequest: Equatable, Sendable {
  public enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case post = "POST"
    case delete = "DELETE"
  }

  public var method: Method
  public var url: String
  public var headers: [String]
  public var body: [UInt8]?
  /// 0 to 9: how hard the body is compressed; what is short is not.
  public var compression = 0
  /// How long it may take in all.
  public var time: Duration
  /// Bytes of an answer; a longer one is a failure.
  public var answerLimit = 16 << 20

  public init(
    _ method: Method, _ url: String, headers: [String] = [], body: [UInt8]? = nil,
    time: Duration = .seconds(90)
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.time = time
  }
}

/// What became of a request.
public enum HTTPAnswer: Equatable, Sendable {
  /// The host's answer; `retryAfter` as it asks for.
  case status(Int, body: [UInt8], retryAfter: Duration?)
  /// There is none, for that reason. The host may have got the request, and done it, unless
  /// `mayHaveArrived` is false.
  case failed(String, mayHaveArrived: Bool)
}
