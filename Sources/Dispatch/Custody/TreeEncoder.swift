/// Takes values apart into trees.
///
/// The compiler says what a type is made of, so that no field is forgotten. Whole numbers only.
struct TreeEncoder: Encoder {
  private let node: Node
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  static func tree(of value: some Encodable) throws -> Tree {
    let encoder = TreeEncoder(Node())
    try encoder.node.set(value)
    return encoder.node.tree
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.keyed(by: type)
  }
  func unkeyedContainer() -> any UnkeyedEncodingContainer { node.unkeyed() }
  func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: node) }

  /// A tree that grows.
  fileprivate final class Node {
    private var leaf = Tree.nothing
    private var record: [String: Node]?
    private var list: [Node]?

    var tree: Tree {
      if let record { return .record(record.mapValues(\.tree)) }
      if let list { return .list(list.map(\.tree)) }
      return leaf
    }

    var count: Int { list?.count ?? 0 }

    func set<Value: Encodable>(_ value: Value) throws {
      switch value {
      case let value as Bool: leaf = .flag(value)
      case let value as String: leaf = .text(value)
      case let value as any FixedWidthInteger: leaf = .number(UInt64(truncatingIfNeeded: value))
      case is any BinaryFloatingPoint:
        throw EncodingError.invalidValue(
          value, .init(codingPath: [], debugDescription: "not a whole number"))
      default: try value.encode(to: TreeEncoder(self))
      }
    }

    func part(_ name: String) -> Node {
      let node = Node()
      record?[name] = node
      return node
    }

    func next() -> Node {
      let node = Node()
      list?.append(node)
      return node
    }

    func keyed<Key: CodingKey>(by type: Key.Type) -> KeyedEncodingContainer<Key> {
      record = record ?? [:]
      return KeyedEncodingContainer(Keyed<Key>(node: self))
    }

    func unkeyed() -> Unkeyed {
      list = list ?? []
      return Unkeyed(node: self)
    }
  }

  fileprivate init(_ node: Node) { self.node = node }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: TreeEncoder.Node
  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) { _ = node.part(key.stringValue) }
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    try node.part(key.stringValue).set(value)
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    node.part(key.stringValue).keyed(by: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    node.part(key.stringValue).unkeyed()
  }
  func superEncoder() -> any Encoder { TreeEncoder(node.part("super")) }
  func superEncoder(forKey key: Key) -> any Encoder { TreeEncoder(node.part(key.stringValue)) }
}

private struct Unkeyed: UnkeyedEncodingContainer {
  let node: TreeEncoder.Node
  var codingPath: [any CodingKey] { [] }
  var count: Int { node.count }

  func encodeNil() { _ = node.next() }
  func encode<Value: Encodable>(_ value: Value) throws { try node.next().set(value) }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> { node.next().keyed(by: type) }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { node.next().unkeyed() }
  func superEncoder() -> any Encoder { TreeEncoder(node.next()) }
}

private struct Single: SingleValueEncodingContainer {
  let node: TreeEncoder.Node
  var codingPath: [any CodingKey] { [] }

  func encodeNil() {}
  func encode<Value: Encodable>(_ value: Value) throws { try node.set(value) }
}
