import CSQLite

/// Why SQLite could not do something, with the file: "cannot write /x/baseline.db: disk I/O error".
struct DatabaseError: Error, Equatable, CustomStringConvertible {
  let operation: String
  let path: String
  let reason: String
  /// SQLite's extended result code.
  let code: Int32

  var description: String { "cannot \(operation) \(path): \(reason)" }
}

/// A connection to an SQLite database, for one thread.
@safe final class Database {
  let path: String
  private let connection: OpaquePointer
  private var statements: [String: OpaquePointer] = unsafe [:]

  /// Opens or makes the file, which only its owner may read.
  ///
  /// - Parameter readOnly: nothing is changed, but that a change which was cut short by the death of
  ///   another program is taken back, where this one may: until then nobody can read.
  init(_ path: String, creating: Bool, readOnly: Bool = false) throws(DatabaseError) {
    self.path = path
    var connection: OpaquePointer?
    // Without the right to write, SQLite opens it for reading.
    let flags =
      SQLITE_OPEN_READWRITE | (creating ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOFOLLOW
    let code = unsafe sqlite3_open_v2(path, &connection, flags, nil)
    guard let opened = unsafe connection else {
      throw DatabaseError(operation: "open", path: path, reason: "no memory", code: code)
    }
    guard code == SQLITE_OK else {
      let reason = unsafe String(cString: sqlite3_errmsg(opened))
      unsafe sqlite3_close(opened)
      throw DatabaseError(operation: "open", path: path, reason: reason, code: code)
    }
    unsafe self.connection = opened
    unsafe sqlite3_busy_timeout(opened, 10_000)
    if readOnly { try execute("PRAGMA query_only = 1") }
  }

  deinit {
    unsafe statements.values.forEach { unsafe sqlite3_finalize($0) }
    unsafe sqlite3_close(connection)
  }

  /// Runs statements that give nothing back.
  func execute(_ sql: String) throws(DatabaseError) {
    guard unsafe sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else {
      throw error("write")
    }
  }

  /// Runs one statement with values for its `?`.
  func run(_ sql: String, _ values: SQLValue...) throws(DatabaseError) {
    let statement = try unsafe prepared(sql, values)
    defer { unsafe sqlite3_reset(statement) }
    let code = unsafe sqlite3_step(statement)
    guard code == SQLITE_DONE || code == SQLITE_ROW else { throw error("write") }
  }

  /// Gives each row to `body`, which may not use it after.
  func forEach(
    _ sql: String, _ values: SQLValue..., body: (SQLRow) throws(DatabaseError) -> Void
  ) throws(DatabaseError) {
    let statement = try unsafe prepared(sql, values)
    defer { unsafe sqlite3_reset(statement) }
    while true {
      switch unsafe sqlite3_step(statement) {
      case SQLITE_ROW: try body(unsafe SQLRow(statement))
      case SQLITE_DONE: return
      default: throw error("read")
      }
    }
  }

  /// All or nothing of what `body` does.
  func transaction<Result>(
    _ body: () throws(DatabaseError) -> Result
  ) throws(DatabaseError) -> Result {
    try execute("BEGIN IMMEDIATE")
    do throws(DatabaseError) {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      // The first failure is what is said; SQLite may have rolled back by itself.
      unsafe _ = sqlite3_exec(connection, "ROLLBACK", nil, nil, nil)
      throw error
    }
  }

  var lastRowID: Int64 { unsafe sqlite3_last_insert_rowid(connection) }

  private func prepared(
    _ sql: String, _ values: [SQLValue]
  ) throws(DatabaseError) -> OpaquePointer {
    let statement: OpaquePointer
    if let known = unsafe statements[sql] {
      unsafe statement = known
    } else {
      var made: OpaquePointer?
      let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
      guard unsafe sqlite3_prepare_v3(connection, sql, -1, flags, &made, nil) == SQLITE_OK,
        let made = unsafe made
      else { throw error("read") }
      unsafe statements[sql] = made
      unsafe statement = made
    }
    for (index, value) in values.enumerated() {
      let place = Int32(index + 1)
      let code: Int32 =
        switch value {
        case .null: unsafe sqlite3_bind_null(statement, place)
        case .integer(let number): unsafe sqlite3_bind_int64(statement, place, number)
        case .text(let text): unsafe sqlite3_bind_text(statement, place, text, -1, Self.copied)
        case .blob(let bytes):
          unsafe bytes.withUnsafeBytes { bytes in
            // An empty value is not the same as none.
            unsafe bytes.count == 0
              ? sqlite3_bind_zeroblob(statement, place, 0)
              : sqlite3_bind_blob(
                statement, place, bytes.baseAddress, Int32(bytes.count), Self.copied)
          }
        }
      guard code == SQLITE_OK else { throw error("write") }
    }
    return unsafe statement
  }

  /// SQLITE_TRANSIENT, which is a cast that Swift does not take over: SQLite makes a copy.
  private static var copied: sqlite3_destructor_type {
    unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
  }

  private func error(_ operation: String) -> DatabaseError {
    DatabaseError(
      operation: operation, path: path, reason: unsafe String(cString: sqlite3_errmsg(connection)),
      code: unsafe sqlite3_extended_errcode(connection))
  }
}

enum SQLValue: Equatable {
  case null
  case integer(Int64)
  case text(String)
  case blob([UInt8])

  static func optional(_ bytes: [UInt8]?) -> Self { bytes.map(Self.blob) ?? .null }
  static func optional(_ number: Int64?) -> Self { number.map(Self.integer) ?? .null }
  /// SQLite has signed numbers alone: the bits are kept.
  static func bits(_ number: UInt64) -> Self { .integer(Int64(bitPattern: number)) }
}

/// A row of an answer; its columns count from 0.
@safe struct SQLRow {
  private let statement: OpaquePointer

  fileprivate init(_ statement: OpaquePointer) { unsafe self.statement = statement }

  func isNull(_ column: Int32) -> Bool {
    unsafe sqlite3_column_type(statement, column) == SQLITE_NULL
  }

  func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }

  func bits(_ column: Int32) -> UInt64 { UInt64(bitPattern: integer(column)) }

  func text(_ column: Int32) -> String { String(decoding: blob(column) ?? [], as: UTF8.self) }

  func blob(_ column: Int32) -> [UInt8]? {
    if isNull(column) { return nil }
    let count = Int(unsafe sqlite3_column_bytes(statement, column))
    guard count > 0, let bytes = unsafe sqlite3_column_blob(statement, column) else { return [] }
    return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: count))
  }
}
