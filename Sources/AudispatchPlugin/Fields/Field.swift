/// A `name=value` of a record, as a place in its bytes.
public struct Field: Equatable, Sendable {
  /// Which part of the line the field stands in.
  public enum Section: Equatable, Sendable {
    /// The kernel's or the sender's own fields.
    case record
    /// Inside `msg='…'`, written by a program in user space.
    case message
    /// What auditd added: names in upper case, values interpreted (see `AddedMeanings`).
    case enrichment
  }

  public enum Quoting: Equatable, Sendable { case none, double, single, braces }

  /// Empty for words that belong to no field (see `FieldScanner.init`).
  public var name: Range<Int>
  /// Without its quotes or braces.
  public var value: Range<Int>
  public var quoting: Quoting
  public var section: Section
  /// Of the name.
  public var key: NameKey
}
