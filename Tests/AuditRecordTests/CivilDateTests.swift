import AuditRecord
import Testing

@Suite("A date")
struct CivilDateTests {
  static let known: [(day: Int64, date: String)] = [
    (0, "1970-1-1"), (-1, "1969-12-31"), (58, "1970-2-28"), (59, "1970-3-1"), (789, "1972-2-29"),
    (11_016, "2000-2-29"), (11_017, "2000-3-1"), (20_778, "2026-11-21"), (47_540, "2100-2-28"),
    (47_541, "2100-3-1"), (2_932_896, "9999-12-31"), (-719_468, "0-3-1"), (-719_469, "0-2-29"),
  ]

  @Test(arguments: known.indices)
  func `is that of its day`(_ index: Int) {
    let (day, expected) = Self.known[index]
    let date = CivilDate(daysSince1970: day)
    #expect("\(date.year)-\(date.month)-\(date.day)" == expected)
  }

  /// Every day of eight centuries, around the first of March of the year 0 and the present time.
  @Test(arguments: [Int64(-780_000), -60_000])
  func `follows the one of the day before`(_ first: Int64) {
    var before = CivilDate(daysSince1970: first)
    for day in first + 1...first + 146_097 {
      let date = CivilDate(daysSince1970: day)
      let isLeap = before.year % 4 == 0 && (before.year % 100 != 0 || before.year % 400 == 0)
      let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      let endsMonth = before.day == days[Int(before.month) - 1]
      let endsYear = endsMonth && before.month == 12
      let isNext =
        date.day == (endsMonth ? 1 : before.day + 1)
        && date.month == (endsYear ? 1 : endsMonth ? before.month + 1 : before.month)
        && date.year == before.year + (endsYear ? 1 : 0)
      guard isNext else {
        Issue.record("day \(day): \(date) behind \(before)")
        return
      }
      before = date
    }
  }
}
