import Foundation
import Testing
import TestSupport

@testable import audispatch_integrity

@Suite("The file of events")
struct EventOutputTests {
  @Test("ends a line that was left half written before it writes another")
  func torn() throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let path = folder + "/events"
    try Data("{\"half\":".utf8).write(to: URL(fileURLWithPath: path))
    let output = EventOutput(path)
    #expect(output.event(["{\"whole\":1}"]))
    output.flush()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"half\":\n{\"whole\":1}\n")
    #expect(output.writtenUpTo == output.place && !output.waits)
  }

  @Test("writes nothing more into a file that is whole")
  func whole() throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let path = folder + "/events"
    for line in ["a", "b"] {
      let output = EventOutput(path)
      #expect(output.event([line]))
      output.flush()
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "a\nb\n")
  }

  @Test("writes an event whole into the file that it moves to, and counts each as written once")
  func moved() throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let output = EventOutput("/dev/full")
    #expect(output.event(["one", "two"]) && output.event(["three"]))
    output.flush()
    #expect(output.obstacle != nil && output.writtenUpTo == 0)
    output.move(to: folder + "/events")
    output.flush()
    #expect(
      try String(contentsOfFile: folder + "/events", encoding: .utf8) == "one\ntwo\nthree\n")
    #expect(output.writtenUpTo == 2 && output.obstacle == nil && output.written == 3)
  }
}
