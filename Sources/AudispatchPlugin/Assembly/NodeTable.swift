import AuditRecord

/// The nodes that an assembler has seen, by number.
struct NodeTable {
  struct Node {
    var name: [UInt8]
    /// Whether this node sends EOE records; then nothing else ends its events.
    var sendsEnds = false
    /// The newest time in its records, in milliseconds: the stream's own clock.
    var newest: UInt64 = 0
    /// The second of `newest` in which its open events were last looked through.
    var swept: UInt64 = 0
  }

  private var nodes: [Node] = []
  private var numbers: [UInt64: Int] = [:]
  private var last = 0

  var count: Int { nodes.count }

  /// A node by its number, in place: no name is copied.
  subscript(number: Int) -> Node {
    _read { yield nodes[number] }
    _modify { yield &nodes[number] }
  }

  /// The number of the node named in that part of a line (`nil`: none is named).
  mutating func number(_ line: Span<UInt8>, _ name: Range<Int>?) -> Int {
    if last < nodes.count, isSame(last, line, name) { return last }
    var hash: UInt64 = 14_695_981_039_346_656_037
    for at in name ?? 0..<0 { hash = (hash ^ UInt64(line[at])) &* 1_099_511_628_211 }
    // Names of one hash follow each other; a second one is a matter of design, not of chance.
    while let number = numbers[hash] {
      if isSame(number, line, name) {
        last = number
        return number
      }
      hash &+= 1
    }
    var bytes: [UInt8] = []
    for at in name ?? 0..<0 { bytes.append(line[at]) }
    nodes.append(Node(name: bytes))
    last = nodes.count - 1
    numbers[hash] = last
    return last
  }

  mutating func removeAll() {
    nodes.removeAll()
    numbers.removeAll()
    last = 0
  }

  private func isSame(_ number: Int, _ line: Span<UInt8>, _ name: Range<Int>?) -> Bool {
    guard let name else { return nodes[number].name.isEmpty }
    let nodes = nodes.span
    return nodes[number].name.span.isSame(as: line.extracting(name))
  }
}
