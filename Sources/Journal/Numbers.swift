/// A place in one space of numbers. Each space is a type, so that the compiler refuses to mix two;
/// `ARCHITECTURE.md` says what each counts, who makes it, and who maps it to which other.
public protocol NumberSpace: Hashable, Strideable, Sendable where Stride == Int {
  var value: UInt64 { get }
  init(_ value: UInt64)
}

extension NumberSpace {
  @inlinable @inline(__always)
  public static func < (a: Self, b: Self) -> Bool { a.value < b.value }

  @inlinable @inline(__always)
  public func distance(to other: Self) -> Int { Int(truncatingIfNeeded: other.value &- value) }

  @inlinable @inline(__always)
  public func advanced(by count: Int) -> Self {
    Self(value &+ UInt64(truncatingIfNeeded: count))
  }

  @inlinable @inline(__always)
  public static func + (number: Self, count: Int) -> Self { number.advanced(by: count) }

  /// How many numbers lie between two; negative when `a` is the lower one.
  @inlinable @inline(__always)
  public static func - (a: Self, b: Self) -> Int { b.distance(to: a) }

  /// Above every number that is given: the end of what has none yet.
  @inlinable @inline(__always)
  public static var max: Self { Self(UInt64.max) }
}

/// A record of this dispatcher's journal, in the order of arrival.
public struct RecordNumber: NumberSpace {
  public let value: UInt64
  @inlinable @inline(__always)
  public init(_ value: UInt64) { self.value = value }
}

/// A record in the stream to a plugin that confirms: the N of `ok N`. The first is 1.
public struct StreamNumber: NumberSpace {
  public let value: UInt64
  @inlinable @inline(__always)
  public init(_ value: UInt64) { self.value = value }
}
