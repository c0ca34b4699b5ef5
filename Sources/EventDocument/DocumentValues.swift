/// A document as its values, one behind another, for those who write it in another way than JSON.
///
/// An object or array is followed by what it holds and by an end; in an object each value has its
/// name in front. There is one value, which is an object.
public struct DocumentValues: Equatable, Sendable {
  public enum Kind: UInt8, Sendable {
    case object
    case array
    /// Of an object or array.
    case end
    /// Of the value that follows.
    case name
    /// Valid UTF-8, as is a name.
    case text
    /// Its digits, as JSON has them.
    case number
    case null
    case yes
    case no
  }

  struct Item: Equatable, Sendable {
    var kind: Kind
    var place: Text
  }

  let bytes: [UInt8]
  let items: [Item]

  /// Bytes of all names, texts and numbers.
  public var byteCount: Int { bytes.count }
  public var count: Int { items.count }
  public subscript(place: Int) -> (kind: Kind, text: ArraySlice<UInt8>) {
    let item = items[place]
    return (item.kind, bytes[item.place.range])
  }

  public static func == (a: DocumentValues, b: DocumentValues) -> Bool {
    a.count == b.count && (0..<a.count).allSatisfy { a[$0] == b[$0] }
  }
}
