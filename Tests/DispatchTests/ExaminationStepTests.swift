import Testing

@testable import AuditDispatch

@Suite("What an examiner says it is about to touch")
struct ExaminationStepTests {
  @Test(arguments: [
    ExaminationStep.files(of: "p"), .check(of: "p"), .files(of: "others"), .check(of: "files x"),
    .others,
  ])
  func `is heard as it was said`(step: ExaminationStep) {
    #expect(step.line.hasSuffix("\n"))
    #expect(ExaminationStep(line: step.line.dropLast()) == step)
  }

  @Test(arguments: ["", "files", "others x", "file p", "check"])
  func `is nothing, where it is something else`(line: String) {
    #expect(ExaminationStep(line: line[...]) == nil)
  }

  @Test func `is bounded where it is a plugin's`() {
    #expect(ExaminationStep.files(of: "p").bound?.plugin == "p")
    // A check that hangs is given up by its own bound first.
    #expect(ExaminationStep.check(of: "q").bound.map { $0.patience > .seconds(5) } == true)
    #expect(ExaminationStep.others.bound == nil)
  }
}
