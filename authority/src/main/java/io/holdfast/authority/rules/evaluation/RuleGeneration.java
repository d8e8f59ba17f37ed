package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleFiles.RuleFile;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.Budget;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import io.holdfast.authority.rules.sandbox.ScriptPlace;
import io.holdfast.core.text.PrintableText;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.JSFunction;
import org.mozilla.javascript.RhinoException;

/**
 * A snapshot of the loaded rules, which a reload replaces as a whole. Immutable once loaded;
 * thread-safe.
 */
public final class RuleGeneration {
    private final RuleSandbox sandbox;
    private final ProgramRuns programs;
    private final RuleLog log;
    private final EvaluationCounts counts;
    private final Map<Realm.Kind, RuleFunctions> rules = new EnumMap<>(Realm.Kind.class);
    private final List<Program> files = new ArrayList<>();
    private final Map<String, RuleGuard> guards = new HashMap<>(); // by the text of a function
    private final List<RuleDiagnostic> diagnostics = new ArrayList<>();

    private RuleGeneration(
            RuleSandbox sandbox, ProgramRuns programs, RuleLog log, EvaluationCounts counts) {
        this.sandbox = sandbox;
        this.programs = programs;
        this.log = log;
        this.counts = counts;
        for (Realm.Kind kind : Realm.Kind.values()) {
            rules.put(kind, new RuleFunctions());
        }
    }

    /**
     * A file that each realm runs, since it does more than add rules.
     *
     * @param number its position among the files
     * @param added how many functions it added when it was loaded
     * @param failed whether it ended with an exception when it was loaded
     * @param ran the programs that it ran when it was loaded
     */
    private record Program(
            int number,
            RuleFileCode code,
            int added,
            boolean failed,
            List<ProgramOutcome.OfCommand> ran) {}

    /**
     * Compiles files, and runs those that do more than add rules. An error in a file becomes a
     * diagnostic, and affects only that file.
     *
     * @param log receives what the files log while they run, and what rules log later
     * @param counts counts the evaluations of these rules
     */
    public static RuleGeneration load(
            RuleSandbox sandbox,
            RuleFiles files,
            ProgramRuns programs,
            RuleLog log,
            EvaluationCounts counts) {
        RuleGeneration generation = new RuleGeneration(sandbox, programs, log, counts);
        generation.diagnostics.addAll(files.diagnostics());
        try (RuleSandbox.Cell cell = sandbox.open()) {
            Realm realm = new Realm(cell, sandbox, programs, log);
            for (int i = 0; i < files.files().size(); i++) {
                generation.load(cell, realm, i, files.files().get(i));
            }
        }
        return generation;
    }

    private void load(RuleSandbox.Cell cell, Realm realm, int number, RuleFile file) {
        SourceLine whole = new SourceLine(file.path(), 0);
        try {
            RuleFileCode code = RuleFileCode.compile(cell, file);
            if (code.isRulesOnly()) {
                addAll(number, code.rules());
            } else {
                run(cell, realm, number, code);
            }
        } catch (EvaluatorException e) {
            wrong(new SourceLine(file.path(), Math.max(e.lineNumber(), 0)), ScriptPlace.details(e));
        } catch (StackOverflowError e) {
            wrong(whole, "nests too deeply");
        } catch (OutOfMemoryError e) {
            wrong(whole, "took more memory than there is");
        } catch (RuntimeException e) { // thrown by the interpreter itself
            wrong(whole, e.toString());
        }
    }

    private void addAll(int file, List<RuleFileCode.Statement> statements) {
        for (int i = 0; i < statements.size(); i++) {
            RuleFileCode.Statement each = statements.get(i);
            functions(each.kind()).add(new RuleFunctions.Entry(file, i, each.function()));
        }
    }

    private void run(RuleSandbox.Cell cell, Realm realm, int number, RuleFileCode code) {
        SourceLine whole = new SourceLine(code.path(), 0);
        List<Realm.Added> added = new ArrayList<>();
        List<ProgramOutcome.OfCommand> ran = new ArrayList<>();
        cell.attach(realm.global(), Budget.ofFile(sandbox.limits()));
        try {
            boolean failed = false;
            try {
                realm.load(code, cell, added, ran);
            } catch (RhinoException e) {
                failed = true;
                wrong(place(e, code), ScriptPlace.details(e));
            }
            added.forEach(each -> guards.put(source(each), RuleGuard.of(source(each))));
            files.add(new Program(number, code, added.size(), failed, List.copyOf(ran)));
        } catch (Abort e) {
            SourceLine place = e.place().file().equals(code.path()) ? e.place() : whole;
            stopped(number, code, added, place, String.valueOf(e.getMessage()));
        } catch (StackOverflowError e) {
            stopped(number, code, added, whole, "nests too deeply");
        } catch (OutOfMemoryError e) {
            stopped(number, code, added, whole, "took more memory than there is");
        } catch (RuntimeException e) { // thrown by the interpreter itself
            stopped(number, code, added, whole, e.toString());
        } finally {
            cell.detach();
        }
    }

    /** Handles a file that no realm can run again: keeps only its statements that add a rule. */
    private void stopped(
            int number, RuleFileCode code, List<Realm.Added> added, SourceLine place, String why) {
        wrong(place, why);
        addAll(
                number,
                code.rules().stream()
                        .filter(rule ->
                                added.stream()
                                        .anyMatch(each ->
                                                each.place().equals(rule.function().place())))
                        .toList());
    }

    private static SourceLine place(RhinoException thrown, RuleFileCode code) {
        return thrown instanceof EvaluatorException && thrown.lineNumber() > 0
                ? new SourceLine(code.path(), thrown.lineNumber())
                : ScriptPlace.of(thrown);
    }

    private void wrong(SourceLine place, String why) {
        diagnostics.add(new RuleDiagnostic(place, PrintableText.of(why, RuleLog.LINE)));
    }

    private static String source(Realm.Added added) {
        String source = added.function() instanceof JSFunction script ? script.getRawSource() : "";
        return source == null ? "" : source;
    }

    /** Returns the errors in the files. */
    public List<RuleDiagnostic> diagnostics() {
        return diagnostics;
    }

    /** Returns the functions of one kind that exist without a realm. */
    RuleFunctions functions(Realm.Kind kind) {
        return Objects.requireNonNull(rules.get(kind));
    }

    /** Returns whether only a realm can show all functions. */
    boolean hasPrograms() {
        return !files.isEmpty();
    }

    /** Makes a realm for one evaluation. */
    Realm realm(RuleSandbox.Cell cell) {
        return new Realm(cell, sandbox, programs, RuleLog.NOWHERE);
    }

    /**
     * Runs in a realm the files that do more than add rules, in the same way as at their load.
     *
     * @return the functions of that kind that they added
     * @throws Abort if a file behaves differently than at its load: rules of it may be missing
     */
    List<RuleFunctions.Entry> run(RuleSandbox.Cell cell, Realm realm, Realm.Kind kind) {
        List<RuleFunctions.Entry> entries = new ArrayList<>();
        for (Program file : files) {
            List<Realm.Added> added = new ArrayList<>();
            boolean failed = false;
            try {
                realm.runAgain(file.code(), cell, file.ran(), added);
            } catch (RhinoException e) {
                failed = true;
            }
            if (failed != file.failed() || added.size() != file.added()) {
                throw Abort.of(file.code().path() + ": does not run as when it was loaded");
            }
            for (int i = 0; i < added.size(); i++) {
                Realm.Added each = added.get(i);
                if (each.kind() == kind) {
                    entries.add(
                            new RuleFunctions.Entry(
                                    file.number(),
                                    i,
                                    new RuleFunction(
                                            each.place(),
                                            guards.getOrDefault(source(each), RuleGuard.NONE),
                                            (_, _) -> each.function())));
                }
            }
        }
        return entries;
    }

    RuleSandbox sandbox() {
        return sandbox;
    }

    RuleLimits limits() {
        return sandbox.limits();
    }

    /** Returns where its rules log. */
    RuleLog log() {
        return log;
    }

    EvaluationCounts counts() {
        return counts;
    }
}
