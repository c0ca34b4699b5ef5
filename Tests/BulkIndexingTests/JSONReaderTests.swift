import Testing

@testable import BulkIndexing

@Suite("JSON of servers")
struct JSONReaderTests {
  private func isValid(_ text: String) -> Bool {
    var reader = JSONReader(Array(text.utf8))
    do throws(JSONFault) {
      try reader.skip()
      try reader.end()
      return true
    } catch { return false }
  }

  @Test(arguments: [
    "{}", "[]", "0", "-0", "10", "1.5e-3", "-2E+7", "\"\"", "true", "false", "null", " [ 1 , 2 ] ",
    "{\"a\":{\"b\":[{}]}}", "\"\\u00e4\\n\\/\"", "\"ä\"",
  ])
  func `takes what is valid`(_ text: String) { #expect(isValid(text)) }

  @Test(arguments: [
    "", " ", "{", "[", "]", "{]", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "01", "-",
    "1.",
    "1e", ".5", "+1", "tru", "nul", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"",
    "1 2", "[1 2]", "'a'", "\u{feff}{}",
  ])
  func `refuses what is not`(_ text: String) { #expect(!isValid(text)) }

  @Test func `goes no deeper than its bound`() {
    #expect(isValid(String(repeating: "[", count: 64) + String(repeating: "]", count: 64)))
    #expect(!isValid(String(repeating: "[", count: 65) + String(repeating: "]", count: 65)))
    #expect(!isValid(String(repeating: "[{\"a\":", count: 100_000)))
  }

  @Test(arguments: [
    ("\"a\\u00e4\\ud83d\\ude00z\"", "aä😀z"), ("\"\\ud83d\"", "\u{fffd}"),
    ("\"\\ud83d\\u0041\"", "\u{fffd}A"), ("\"\\\\\\\"\\b\\f\\r\\t\"", "\\\"\u{8}\u{c}\r\t"),
  ])
  func `decodes strings`(_ text: String, _ expected: String) throws {
    var reader = JSONReader(Array(text.utf8))
    #expect(String(decoding: try reader.string(), as: UTF8.self) == expected)
  }

  @Test(arguments: ["99999999999999999999", "1.0", "1e3", "\"1\"", "true"])
  func `takes whole numbers only where one is due`(_ text: String) {
    var reader = JSONReader(Array(text.utf8))
    #expect(throws: JSONFault.self) { try reader.integer() }
  }
}

@Suite("Answers of servers")
struct AnswerTests {
  @Test func `have a word for each document`() throws {
    let answer = try BulkAnswer(
      Array(
        """
        {"took":3,"errors":true,"items":[{"create":{"_index":"a-1","_id":"x","status":201}},
        {"create":{"_index":"a-1","status":409,"error":{"type":"version_conflict_engine_exception",
        "reason":"there","caused_by":{"type":"deep"}}}},{"index":{"status":503,"error":"old"}}]}
        """.utf8))
    #expect(
      answer.items == [
        ItemAnswer(status: 201, index: Array("a-1".utf8)),
        ItemAnswer(
          status: 409, index: Array("a-1".utf8), errorType: "version_conflict_engine_exception",
          reason: "there"), ItemAnswer(status: 503, reason: "old"),
      ])
  }

  @Test(arguments: [
    "", "{}", "[]", "null", "{\"items\":{}}", "{\"items\":[1]}", "{\"items\":[{}]}",
    "{\"items\":[{\"create\":{}}]}", "{\"items\":[{\"create\":{\"status\":\"201\"}}]}",
    "{\"items\":[{\"create\":{\"status\":20}}]}", "{\"items\":[]}x", "<html>",
  ])
  func `that are none are not taken for one`(_ text: String) {
    #expect(throws: JSONFault.self) { try BulkAnswer(Array(text.utf8)) }
  }

  @Test func `to look-ups say what is there`() throws {
    let answer = try LookUpAnswer(
      Array(
        (#"{"docs":[{"_id":"a","found":true},{"found":false},{"error":{"type":"busy"}},{},"#
          + #"{"error":{"type":"index_not_found_exception"}}]}"#).utf8))
    #expect(answer.found == [true, false, nil, nil, false])
    #expect(throws: JSONFault.self) { try LookUpAnswer(Array("{}".utf8)) }
  }

  @Test func `name the indices of a data stream and of an alias`() throws {
    let stream = try IndexGenerations(
      dataStream: Array(
        #"{"data_streams":[{"name":"s","indices":[{"index_name":"s-1","index_uuid":"u"},"#.utf8)
        + Array(#"{"index_name":"s-2"}],"status":"GREEN"}]}"#.utf8))
    #expect(stream.names == ["s-1", "s-2"].map { Array($0.utf8) })
    let alias = try IndexGenerations(
      alias: Array(
        #"{"i-3":{"aliases":{"i":{}}},"i-2":{"aliases":{"i":{"is_write_index":true}}},"i-1":{}}"#
          .utf8))
    #expect(alias.names == ["i-1", "i-3", "i-2"].map { Array($0.utf8) })
    #expect(throws: JSONFault.self) {
      try IndexGenerations(dataStream: Array(#"{"data_streams":[]}"#.utf8))
    }
  }

  @Test func `of generations say where a document may be`() {
    let names = (1...12).map { Array("s-\($0)".utf8) }
    let all = IndexGenerations(names: names)
    #expect(all.older(since: [names[11]]) == [])
    #expect(all.older(since: [names[10]]) == [names[10]])
    #expect(all.older(since: [names[10], names[8], names[11]]) == Array(names[8...10]))
    // Unknown: the last eight; one that is gone: all.
    #expect(all.older(since: [[]]) == Array(names[3...10]))
    #expect(all.older(since: [[], names[1]]) == Array(names[1...10]))
    #expect(all.older(since: [Array("gone".utf8)]) == Array(names[0...10]))
    #expect(IndexGenerations(names: [names[0]]).older(since: [[]]) == [])
    #expect(IndexGenerations(names: []).older(since: [[]]) == [])
  }
}
