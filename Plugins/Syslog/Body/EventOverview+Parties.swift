import AudispatchPlugin
import AuditRecord

/// Whom an event is about beside the one who acts: accounts, groups, what is decided about, and
/// the other end of a connection.
extension EventOverview {
  /// What a message of user space is about. `acct` is a group's in records about groups, unless a
  /// group is named beside it; `id` is one's in some of them (`AccountFields`), else the account's.
  mutating func takeAccounts(_ facts: RecordFacts) {
    let isAboutGroup = facts.isAboutGroup
    let named = facts.value("acct")
    group = facts.value("grp") ?? facts.value("new_group") ?? facts.value("new-group")
    groupID = facts.number("new_gid") ?? facts.number("new-gid")
    if groupID != nil { group = group ?? facts.meaning("new_gid") }
    if isAboutGroup, group == nil, groupID == nil { group = named } else { account = named }
    guard let id = facts.number("id") else { return }
    if AccountFields.isGroup("id", in: facts.record.type) {
      groupID = id
      group = group ?? facts.meaning("id")
    } else {
      accountID = id
      account = account ?? facts.meaning("id")
    }
  }

  /// What SELinux or AppArmor decided.
  mutating func takeDecision(_ event: AuditEvent, _ interpreter: Interpreter, isCall: Bool) {
    for record in event.records {
      let facts = RecordFacts(event: event, record: record, interpreter: interpreter)
      if let vector = event.accessVector(of: record) {
        decision = Array(event.bytes[vector.result])
        permissions = event.permissions(of: vector)
        path = path ?? facts.value("path") ?? facts.value("name")
      } else if let word = facts.value("apparmor") {
        decision = word.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        permissions = facts.value("denied_mask") ?? facts.value("requested_mask")
        if !isCall { action = facts.value("operation") ?? action }
        path = path ?? facts.value("name") ?? facts.value("target") ?? facts.value("peer")
      } else {
        continue
      }
      executable = executable ?? facts.value("exe") ?? facts.value("comm")
      process = process ?? facts.value("pid")
      guard !isCall else { return }
      action = action ?? decision
      if succeeded == nil {
        succeeded = decision.map { $0.elementsEqual("denied".utf8) ? false : true }
      }
      return
    }
  }

  /// Where a program says that a user comes from.
  mutating func takeRemote(_ facts: RecordFacts) {
    let host = facts.value("hostname")
    let address =
      facts.value("addr").flatMap { NetworkAddress($0) }
      ?? facts.value("raddr").flatMap { NetworkAddress($0) }
      ?? host.flatMap { NetworkAddress($0) }
    source = address.map { NetworkEnd(address: $0, port: facts.port("rport")) }
    if let host, NetworkAddress(host) == nil { sourceHost = host }
    if let local = facts.value("laddr").flatMap({ NetworkAddress($0) }) {
      target = NetworkEnd(address: local, port: facts.port("lport"))
    }
  }

  /// The address that a system call was given or gave.
  mutating func takeSocket(_ event: AuditEvent, _ facts: RecordFacts) {
    guard let record = event.record(RecordType(rawValue: 1306)),
      let field = event.field("saddr", of: record),
      let address = Hex.decode(event.bytes[field.value]).flatMap(SocketAddress.init)
    else { return }
    switch address {
    case .inet(let text, let port), .inet6(let text, let port):
      guard let address = NetworkAddress(Array(text.utf8)) else { return }
      let end = NetworkEnd(address: address, port: port)
      switch SocketCall(facts) {
      case .fromPeer: source = end
      case .local: bound = end
      case .toPeer: target = end
      }
    case .path(let name): path = name
    case .abstract(let name): path = [UInt8(ascii: "@")] + name
    default: break
    }
  }
}

extension RecordFacts {
  /// Records that are about a group.
  fileprivate var isAboutGroup: Bool {
    switch record.type.rawValue {
    // ADD_GROUP, DEL_GROUP, GRP_AUTH, CHGRP_ID, GRP_MGMT, GRP_CHAUTHTOK
    case 1116, 1117, 1126, 1119, 1132, 1133: return true
    default: return false
    }
  }

  fileprivate func port(_ name: String) -> UInt16? {
    value(name).flatMap { UInt16(String(decoding: $0, as: UTF8.self)) }
  }
}

/// Whose address a SOCKADDR record holds, by the system call of its event.
private enum SocketCall {
  /// Of the one who connected to us or sent to us.
  case fromPeer
  /// Our own.
  case local
  case toPeer

  init(_ facts: RecordFacts) {
    let name = facts.systemCall.map { String(decoding: $0, as: UTF8.self) }
    switch name {
    case "accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "recv":
      self = .fromPeer
    case "bind", "getsockname", "listen": self = .local
    case "socketcall":
      // linux/net.h
      let call = facts.value("a0").map { String(decoding: $0, as: UTF8.self) }
      switch call.flatMap({ UInt8($0, radix: 16) }) {
      case 5, 10, 12, 17, 18, 19: self = .fromPeer
      case 2, 4, 6: self = .local
      default: self = .toPeer
      }
    default: self = .toPeer
    }
  }
}
