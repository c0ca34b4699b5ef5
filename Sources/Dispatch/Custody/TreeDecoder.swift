/// Puts values together of the trees that `TreeEncoder` made of them; throws where one does not fit.
struct TreeDecoder: Decoder {
  private let tree: Tree
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  fileprivate init(_ tree: Tree) { self.tree = tree }

  static func value<Value: Decodable>(_ type: Value.Type, of tree: Tree) throws -> Value {
    let leaf: Any?
    switch (tree, type) {
    case (.flag(let flag), is Bool.Type): leaf = flag
    case (.text(let text), is String.Type): leaf = text
    case (.number(let number), let type as any FixedWidthInteger.Type):
      leaf = integer(type, number)
    case (_, is Bool.Type), (_, is String.Type), (_, is any FixedWidthInteger.Type): leaf = nil
    default: return try Value(from: TreeDecoder(tree))
    }
    guard let value = leaf as? Value else { throw misfit("\(type)") }
    return value
  }

  private static func integer<Number: FixedWidthInteger>(
    _ type: Number.Type, _ number: UInt64
  ) -> Number? {
    let value = Number(truncatingIfNeeded: number)
    return UInt64(truncatingIfNeeded: value) == number ? value : nil
  }

  fileprivate static func misfit(_ what: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: [], debugDescription: "what was kept has no \(what)"))
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .record(let record) = tree else { throw Self.misfit("record") }
    return KeyedDecodingContainer(Keyed<Key>(record: record))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .list(let list) = tree else { throw Self.misfit("list") }
    return Unkeyed(list: list)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { Single(tree: tree) }
}

private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let record: [String: Tree]
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { record.keys.compactMap { Key(stringValue: $0) } }

  private func part(_ key: Key) throws -> Tree {
    guard let tree = record[key.stringValue] else { throw TreeDecoder.misfit(key.stringValue) }
    return tree
  }

  func contains(_ key: Key) -> Bool { record[key.stringValue] != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try part(key) == .nothing }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try TreeDecoder.value(type, of: part(key))
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try TreeDecoder(part(key)).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try TreeDecoder(part(key)).unkeyedContainer()
  }
  func superDecoder() throws -> any Decoder {
    guard let tree = record["super"] else { throw TreeDecoder.misfit("super") }
    return TreeDecoder(tree)
  }
  func superDecoder(forKey key: Key) throws -> any Decoder { TreeDecoder(try part(key)) }
}

private struct Unkeyed: UnkeyedDecodingContainer {
  let list: [Tree]
  private(set) var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { list.count }
  var isAtEnd: Bool { currentIndex == list.count }

  init(list: [Tree]) { self.list = list }

  private mutating func next() throws -> Tree {
    guard !isAtEnd else { throw TreeDecoder.misfit("further part") }
    defer { currentIndex += 1 }
    return list[currentIndex]
  }

  mutating func decodeNil() -> Bool {
    guard !isAtEnd, list[currentIndex] == .nothing else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try TreeDecoder.value(type, of: next())
  }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> { try TreeDecoder(next()).container(keyedBy: type) }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try TreeDecoder(next()).unkeyedContainer()
  }
  mutating func superDecoder() throws -> any Decoder { TreeDecoder(try next()) }
}

private struct Single: SingleValueDecodingContainer {
  let tree: Tree
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { tree == .nothing }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try TreeDecoder.value(type, of: tree)
  }
}
