package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleFiles.RuleFile;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.Budget;
import io.holdfast.authority.rules.sandbox.BuiltInChange;
import io.holdfast.authority.rules.sandbox.BuiltIns;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import io.holdfast.authority.rules.sandbox.ScriptPlace;
import io.holdfast.core.text.PrintableText;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.EvaluatorException;
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
    private final List<Loaded> files = new ArrayList<>();
    private final List<RuleDiagnostic> diagnostics = new ArrayList<>();
    private volatile boolean changesBuiltIns;

    private RuleGeneration(
            RuleSandbox sandbox, ProgramRuns programs, RuleLog log, EvaluationCounts counts) {
        this.sandbox = sandbox;
        this.programs = programs;
        this.log = log;
        this.counts = counts;
    }

    /** A file in its order. */
    private sealed interface Loaded {
        /** A file whose functions exist without running it. */
        record Statements(List<RuleFileCode.Statement> rules) implements Loaded {}

        /**
         * A file that each realm runs, since it does more than add rules.
         *
         * @param added how many functions it added when it was loaded
         * @param failed whether it ended with an exception when it was loaded
         * @param ran the programs that it ran when it was loaded
         */
        record Program(
                RuleFileCode code, int added, boolean failed, List<ProgramOutcome.OfCommand> ran)
                implements Loaded {}
    }

    /**
     * The functions that may concern an action, in their order.
     *
     * @param skipped how many others there are
     */
    record Selection(List<RuleFunction> functions, int skipped) {}

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
        try {
            generation.load(files);
        } catch (BuiltInChange e) {
            generation = new RuleGeneration(sandbox, programs, log, counts);
            generation.changesBuiltIns();
            generation.load(files);
        }
        return generation;
    }

    private void load(RuleFiles files) {
        diagnostics.addAll(files.diagnostics());
        try (RuleSandbox.Cell cell = sandbox.open()) {
            @Nullable Realm realm = null; // made for the first file that has to run
            for (RuleFile file : files.files()) {
                realm = load(cell, realm, file);
            }
        }
    }

    private @Nullable Realm load(RuleSandbox.Cell cell, @Nullable Realm made, RuleFile file) {
        Realm realm = made;
        SourceLine whole = new SourceLine(file.path(), 0);
        try {
            RuleFileCode code = RuleFileCode.compile(cell, file);
            if (code.isRulesOnly()) {
                if (!code.rules().isEmpty()) {
                    files.add(new Loaded.Statements(code.rules()));
                }
            } else {
                if (realm == null) {
                    realm = new Realm(cell, sandbox, builtIns(cell), programs, log);
                }
                run(cell, realm, code);
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
        return realm;
    }

    private void run(RuleSandbox.Cell cell, Realm realm, RuleFileCode code) {
        SourceLine whole = new SourceLine(code.path(), 0);
        List<Realm.Added> added = new ArrayList<>();
        List<ProgramOutcome.OfCommand> ran = new ArrayList<>();
        cell.attach(Budget.ofFile(sandbox.limits()));
        try {
            boolean failed = false;
            try {
                realm.load(code, cell, added, ran);
            } catch (RhinoException e) {
                failed = true;
                wrong(place(e, code), ScriptPlace.details(e));
            }
            files.add(new Loaded.Program(code, added.size(), failed, List.copyOf(ran)));
        } catch (Abort e) {
            SourceLine place = e.place().file().equals(code.path()) ? e.place() : whole;
            stopped(code, added, place, String.valueOf(e.getMessage()));
        } catch (StackOverflowError e) {
            stopped(code, added, whole, "nests too deeply");
        } catch (OutOfMemoryError e) {
            stopped(code, added, whole, "took more memory than there is");
        } catch (RuntimeException e) { // thrown by the interpreter itself
            stopped(code, added, whole, e.toString());
        } finally {
            cell.detach();
        }
    }

    /** Handles a file that no realm can run again: keeps only its statements that add a rule. */
    private void stopped(RuleFileCode code, List<Realm.Added> added, SourceLine place, String why) {
        wrong(place, why);
        files.add(
                new Loaded.Statements(
                        code.rules().stream()
                                .filter(rule ->
                                        added.stream()
                                                .anyMatch(each ->
                                                        each.place()
                                                                .equals(rule.function().place())))
                                .toList()));
    }

    private static SourceLine place(RhinoException thrown, RuleFileCode code) {
        return thrown instanceof EvaluatorException && thrown.lineNumber() > 0
                ? new SourceLine(code.path(), thrown.lineNumber())
                : ScriptPlace.of(thrown);
    }

    private void wrong(SourceLine place, String why) {
        diagnostics.add(new RuleDiagnostic(place, PrintableText.of(why, RuleLog.LINE)));
    }

    /** Returns the errors in the files. */
    public List<RuleDiagnostic> diagnostics() {
        return diagnostics;
    }

    /**
     * Makes the built-in objects if these rules need them: this takes long once in a process, which
     * counts for no evaluation.
     */
    public void prepare() {
        if (!files.isEmpty()) {
            sandbox.prepare();
        }
    }

    /** Makes a realm for one evaluation. */
    Realm realm(RuleSandbox.Cell cell) {
        return new Realm(cell, sandbox, builtIns(cell), programs, RuleLog.NOWHERE);
    }

    private BuiltIns builtIns(RuleSandbox.Cell cell) {
        return changesBuiltIns ? BuiltIns.own(cell) : sandbox.builtIns(cell);
    }

    /** Gives each evaluation built-in objects of its own from now on. */
    void changesBuiltIns() {
        changesBuiltIns = true;
    }

    /**
     * Selects the functions of one kind that may concern an action. Runs the files that do more
     * than add rules, in the same way as at their load.
     *
     * @throws Abort if a file behaves differently than at its load: rules of it may be missing
     */
    Selection select(RuleSandbox.Cell cell, Supplier<Realm> realm, Realm.Kind kind, String action) {
        List<RuleFunction> selected = new ArrayList<>();
        int skipped = 0;
        for (Loaded file : files) {
            switch (file) {
                case Loaded.Program program -> runAgain(cell, realm.get(), program, kind, selected);
                case Loaded.Statements statements -> {
                    for (RuleFileCode.Statement each : statements.rules()) {
                        if (each.kind() != kind) {
                            continue;
                        }
                        if (each.function().isAbout(action)) {
                            selected.add(each.function());
                        } else {
                            skipped++;
                        }
                    }
                }
            }
        }
        return new Selection(selected, skipped);
    }

    private static void runAgain(
            RuleSandbox.Cell cell,
            Realm realm,
            Loaded.Program file,
            Realm.Kind kind,
            List<RuleFunction> selected) {
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
        for (Realm.Added each : added) {
            if (each.kind() == kind) {
                selected.add(new RuleFunction(each.place(), Set.of(), (_, _) -> each.function()));
            }
        }
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
