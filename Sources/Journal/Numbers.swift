/// A place in one space of numbers. Each space is a type, so that the compiler refuses to mix two;
/// `ARCHITECTURE.md` says what each counts, who makes it, and who maps it to which other.
public protocol NumberSpace: Hashable, Strideable, Sendable, CustomStringConvertible
where Stride == Int {
  var value: UInt64 { get }
  init(_ value: UInt64)
}

extension NumberSpace {
  public var description: String { String(value) }

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

/// A byte of the stream to one process of a plugin; its first is 0.
public struct StreamOffset: NumberSpace {
  public let value: UInt64
  @inlinable @inline(__always)
  public init(_ value: UInt64) { self.value = value }
}

/// A record, an announcement or a repetition in the stream to one process of a plugin; the first is 0.
public struct ThingNumber: NumberSpace {
  public let value: UInt64
  @inlinable @inline(__always)
  public init(_ value: UInt64) { self.value = value }
}

/// A record of the log on disk, in the order of arrival over all starts.
public struct LogRecordNumber: NumberSpace {
  public let value: UInt64
  @inlinable @inline(__always)
  public init(_ value: UInt64) { self.value = value }
}

/// An event of the log on disk, in the order in which events began over all starts.
public struct LogEventNumber: NumberSpace {
  public let value: UInt64
  @inlinable @inline(__always)
  public init(_ value: UInt64) { self.value = value }
}

/// What the journal's numbers of records are more than the log's, while one log is open.
public struct LogShift: Hashable, Sendable {
  public let value: UInt64

  public init(_ value: UInt64) { self.value = value }

  /// Both are the same record.
  public init(_ number: RecordNumber, _ logged: LogRecordNumber) {
    value = number.value &- logged.value
  }

  public func number(_ logged: LogRecordNumber) -> RecordNumber {
    RecordNumber(logged.value &+ value)
  }

  public func logged(_ number: RecordNumber) -> LogRecordNumber {
    LogRecordNumber(number.value &- value)
  }
}

/// One of a kind in this process, by a number that no other one of the kind has or gets.
public struct Ordinal<Kind>: Hashable, Sendable {
  public let value: UInt32

  public init(_ value: UInt32) { self.value = value }

  public static var first: Self { Self(0) }
  public var next: Self { Self(value + 1) }
}

public enum PluginKind {}
/// A plugin of this process.
public typealias PluginID = Ordinal<PluginKind>
