import Glibc
import Linux
import PluginHarness
import Testing

@testable import audispatch_integrity

/// A state with a value in every place.
private func fullState() -> FileState {
  var state = FileState(
    FileFacts(
      kind: .regular, mode: 0o4755, user: 1, group: 2, links: 3, size: 4, inode: .max, device: 5,
      special: 6, modified: -7, changed: 8, born: 9))
  state.target = [1, 0xff]
  state.accessList = [2, 0, 0, 0]
  state.defaultList = []
  state.capabilities = [3]
  state.label = Array("system_u:object_r:etc_t:s0\0".utf8)
  state.extended = [
    .init(name: Array("user.a".utf8), value: []), .init(name: Array("user.b".utf8), value: [0]),
  ]
  state.flags = 0x10
  state.sha256 = Array(0..<32)
  state.sha512 = Array(0..<64)
  state.blake2b = Array(64..<128)
  state.verity = [9]
  state.hashed = 77
  state.isUnstable = true
  state.unread = ["content: Permission denied"]
  return state
}

@Suite("A file's state")
struct StateTests {
  @Test func `comes back from its bytes as it was`() {
    #expect(FileState(encoded: fullState().encoded) == fullState())
    var bare = fullState().facts
    bare.born = nil
    #expect(FileState(encoded: FileState(bare).encoded) == FileState(bare))
  }

  @Test func `is none in bytes that were cut anywhere`() {
    let bytes = fullState().encoded
    let whole = fullState()
    for count in 0..<bytes.count {
      #expect(FileState(encoded: Array(bytes.prefix(count))) != whole)
    }
  }

  @Test func `differs in each attribute alone`() {
    let before = fullState()
    let changes: [(AttributeSet, (inout FileState) -> Void)] = [
      (.mode, { $0.facts.mode = 0o755 }), (.user, { $0.facts.user = 9 }),
      (.group, { $0.facts.group = 9 }), (.size, { $0.facts.size = 9 }),
      (.modified, { $0.facts.modified = 9 }), (.changed, { $0.facts.changed = 9 }),
      (.born, { $0.facts.born = 10 }), (.links, { $0.facts.links = 9 }),
      (.inode, { $0.facts.inode = 9 }), (.device, { $0.facts.device = 9 }),
      (.special, { $0.facts.special = 9 }), (.target, { $0.target = [2] }),
      (.accessControl, { $0.defaultList = nil }), (.capabilities, { $0.capabilities = nil }),
      (.label, { $0.label = [1] }), (.extended, { $0.extended.removeLast() }),
      (.flags, { $0.flags = 0 }), (.sha256, { $0.sha256 = Array(1..<33) }),
      (.sha512, { $0.sha512 = [] }), (.blake2b, { $0.blake2b = [] }),
      (.verity, { $0.verity = nil }),
    ]
    for (attribute, apply) in changes {
      var after = before
      apply(&after)
      let all = AttributeSet(rawValue: .max).subtracting([.growing, .rotating])
      let change = StateChange(
        FilePath("/x"), before: before, after: after, counting: all, severity: .low)
      #expect(change?.attributes == attribute)
      let others = all.subtracting(attribute)
      #expect(
        StateChange(FilePath("/x"), before: before, after: after, counting: others, severity: .low)
          == nil)
    }
  }

  @Test func `a hash that could not be made is no change`() {
    var after = fullState()
    after.sha256 = nil
    #expect(
      StateChange(
        FilePath("/x"), before: fullState(), after: after, counting: .full, severity: .low) == nil)
  }

  @Test func `gaining setuid or a capability is critical whatever the rule says`() {
    var before = fullState()
    before.facts.mode = 0o755
    before.capabilities = nil
    var setuid = before
    setuid.facts.mode = 0o4755
    var capable = before
    capable.capabilities = [1]
    for after in [setuid, capable] {
      let change = StateChange(
        FilePath("/x"), before: before, after: after, counting: .full, severity: .low)
      #expect(change?.severity == .critical)
    }
    let lost = StateChange(
      FilePath("/x"), before: setuid, after: before, counting: .full, severity: .low)
    #expect(lost?.severity == .low)
  }

  @Test func `attributes read as the usual tools show them`() {
    let access: [UInt8] = [
      2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0, 0x20, 0, 0, 0, 255,
      255,
      255, 255,
    ]
    #expect(AccessList.text(access, prefix: "") == "user::rw-,user:1000:r--,other::---")
    #expect(AccessList.text([1], prefix: "") == "0x01")
    let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(CapabilityText.text(capability) == "cap_net_raw=ep")
    #expect(InodeFlags.text(0x8_0010) == "ie")
    #expect(InodeFlags.text(0) == "-")
    #expect(Timestamp.text(nanoseconds: -1) == "1969-12-31T23:59:59.999999999Z")
    #expect(
      Timestamp.text(nanoseconds: 1_700_000_000_000_000_005) == "2023-11-14T22:13:20.000000005Z")
  }
}
