import AudispatchPlugin
import Configuration
import SyslogSending

extension SyslogOptions {
  mutating func settle() -> [Diagnostic] {
    if servers.addresses.isEmpty { servers.addresses = [.local] }
    if format == nil { format = servers.areLocal ? .rfc3164 : .rfc5424 }
    if unit == nil { unit = body == .text || body == .keyValue ? .records : .events }
    // As the program has it that these arguments were made for.
    if tag == nil { tag = priority.facility == .user ? "audisp-syslog" : "audispd" }
    if ends == nil { ends = true }
    if maximumSize == nil { maximumSize = servers.usualSize }
    return objections() + servers.settle()
  }

  /// RFC 3164 on a socket of this host has no host's name in it.
  var headerForm: MessageHeader.Form {
    if format == .rfc5424 { return .rfc5424 }
    return servers.areLocal ? .local : .rfc3164
  }

  /// The body is the records as they are.
  var isVerbatim: Bool { body == .text && !interpret }

  private func objections() -> [Diagnostic] {
    var found: [Diagnostic] = []
    if volume.redacts, isVerbatim, !redactsVerbatim {
      let keywords = ["redact", "redact_option", "redact_pattern"]
      found.append(
        places.problem(
          keywords.first { places[$0] != nil } ?? "redact",
          "nothing is taken out of records that are sent as they are",
          suggestion: "choose another body, or set redact_verbatim = yes"))
    }
    if (body == .cef || body == .leef) && unit == .records {
      found.append(
        places.problem(
          "messages", "\(body.rawValue) describes whole events",
          suggestion: "set messages = events"))
    }
    if places["leef_delimiter"] != nil && body != .leef {
      found.append(
        places.problem("leef_delimiter", "only body = leef has a delimiter", severity: .warning))
    }
    if servers.haveDatagrams, maximumSize ?? 0 > 65_507 {
      found.append(
        places.problem(
          "max_size", "no datagram has more than 65507 bytes", suggestion: "set max_size"))
    }
    return found
  }
}
