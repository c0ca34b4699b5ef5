import AuditRecord

/// What a record tells where its operation decides on the words.
extension EventFacts {
  /// The words of this very record; `nil` where those of the table fit.
  var recordVariant: Action? {
    guard let plain = Action.records[subjectName] else { return nil }
    // systemd of old called the unit by its `comm`, which is its own today.
    if ["SERVICE_START", "SERVICE_STOP"].contains(subjectName),
      event.field("unit", of: subject) == nil
    {
      return Action(
        past: plain.past, infinitive: plain.infinitive, object: .fields, details: ["comm"],
        hasHappened: plain.hasHappened)
    }
    guard let operation = shown("op", of: subject) else { return nil }
    func changed(_ past: String, _ infinitive: String) -> Action {
      Action(past: past, infinitive: infinitive, object: plain.object, details: plain.details)
    }
    switch subjectName {
    case "INTEGRITY_PCR" where operation == "invalid_pcr":
      return changed("invalidated the measurement of", "invalidate the measurement of")
    // audispatch-integrity's: AIDE's has no operation.
    case "ANOM_RBAC_INTEGRITY_FAIL" where operation.hasPrefix("file-"):
      return Action(
        past: "found a difference of", infinitive: "", object: .fields,
        details: ["name", "op", "changed", "severity"])
    case "ANOM_RBAC_INTEGRITY_FAIL":
      return Action(
        past: "told of its watch over files", infinitive: "", object: .none,
        details: [
          "op", "subject", "findings", "packages", "packaged", "listed", "removed", "severity",
          "maintenance", "reason",
        ])
    // What shadow's useradd and userdel do around the account.
    case "ADD_USER" where operation.contains("group"):
      return changed("added to a group user", "add to a group user")
    case "DEL_USER" where operation.contains("group"):
      return changed("removed from a group user", "remove from a group user")
    case "ADD_USER" where operation.contains("home directory"):
      return changed("made the home directory of user", "make the home directory of user")
    case "DEL_USER" where operation.contains("home directory"):
      return changed("deleted the home directory of user", "delete the home directory of user")
    case "DEL_USER" where operation.contains("mail file"):
      return changed("deleted the mail file of user", "delete the mail file of user")
    default: return nil
    }
  }
}
