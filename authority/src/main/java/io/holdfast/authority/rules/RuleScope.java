package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import io.holdfast.authority.rules.RuleFiles.RuleFile;
import io.holdfast.core.text.PrintableText;
import java.util.ArrayList;
import java.util.List;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Undefined;

/**
 * A world of scripts of its own, with the functions that the files added to it. Used by one thread
 * at a time, and never again after something has ended it by force.
 */
final class RuleScope {
    /** Of functions, rules and admin rules each. */
    static final int MAX_FUNCTIONS = 100_000;

    private final RuleFiles files;
    private final RuleLimits limits;
    private final ScriptableObject global;
    private final ScriptableObject actionPrototype;
    private final ScriptableObject subjectPrototype;
    private final RuleFunctions rules = new RuleFunctions();
    private final RuleFunctions adminRules = new RuleFunctions();
    private final List<RuleDiagnostic> diagnostics = new ArrayList<>();
    private final ProgramRuns programs;
    private RuleLog log = RuleLog.NOWHERE;
    private boolean loading;
    private boolean broken;
    private int servings;

    private RuleScope(Sandbox.Cell cell, RuleFiles files, RuleLimits limits, ProgramRuns programs) {
        this.files = files;
        this.limits = limits;
        this.programs = programs;
        global = cell.initSafeStandardObjects(null, false);
        new Guards(global, limits).install();
        ScriptableObject natives = (ScriptableObject) cell.newObject(global);
        define(natives, "addRule", (_, _, arguments) -> add(rules, "addRule", arguments));
        define(
                natives,
                "addAdminRule",
                (_, _, arguments) -> add(adminRules, "addAdminRule", arguments));
        define(natives, "log", (_, _, arguments) -> log(arguments));
        define(natives, "start", (cx, _, arguments) -> start((Sandbox.Cell) cx, arguments));
        define(natives, "outcome", (_, _, arguments) -> ProgramOutcome.result(arguments[0]));
        define(
                natives,
                "isInGroup",
                (_, self, arguments) ->
                        self instanceof SubjectObject subject
                                && subject.isInGroup(
                                        Context.toString(BuiltIn.argument(arguments, 0))));
        define(
                natives,
                "isInNetGroup",
                (_, self, arguments) ->
                        self instanceof SubjectObject subject
                                && subject.isInNetGroup(
                                        Context.toString(BuiltIn.argument(arguments, 0))));
        Function prelude =
                (Function) cell.evaluateString(global, Prelude.SOURCE, Prelude.NAME, 1, null);
        NativeArray prototypes =
                (NativeArray) prelude.call(cell, global, global, new Object[] {global, natives});
        actionPrototype = (ScriptableObject) prototypes.get(0);
        subjectPrototype = (ScriptableObject) prototypes.get(1);
        for (String name : new String[] {"polkit", "Action", "Subject"}) {
            global.setAttributes(
                    name,
                    ScriptableObject.DONTENUM
                            | ScriptableObject.READONLY
                            | ScriptableObject.PERMANENT);
        }
    }

    /**
     * Runs files in a new scope. One that fails is told of, and what it added until then stays.
     *
     * @param log told what the files log while they are run
     */
    static RuleScope load(
            Sandbox sandbox,
            RuleFiles files,
            RuleLimits limits,
            ProgramRuns programs,
            RuleLog log) {
        try (Sandbox.Cell cell = sandbox.open()) {
            RuleScope scope = new RuleScope(cell, files, limits, programs);
            scope.log = log;
            for (RuleFile file : files.files()) {
                scope.run(cell, file);
            }
            return scope;
        }
    }

    private void run(Sandbox.Cell cell, RuleFile file) {
        Place whole = new Place(file.path(), 0);
        Budget outer = cell.budget;
        cell.budget = new Budget(limits.load(), limits.allocated());
        loading = true;
        try {
            ScriptSource.check(file.source(), file.path().toString());
            Object _ = cell.evaluateString(global, file.source(), file.path().toString(), 1, null);
        } catch (RhinoException e) {
            Place place =
                    e instanceof EvaluatorException && e.lineNumber() > 0
                            ? new Place(file.path(), e.lineNumber())
                            : ScriptPlace.of(e);
            diagnostics.add(
                    new RuleDiagnostic(
                            place, PrintableText.of(ScriptPlace.details(e), RuleLog.LINE)));
        } catch (Abort e) {
            Place place = e.place().file().equals(file.path()) ? e.place() : whole;
            diagnostics.add(new RuleDiagnostic(place, String.valueOf(e.getMessage())));
        } catch (StackOverflowError e) {
            diagnostics.add(new RuleDiagnostic(whole, "nests too deeply"));
        } catch (OutOfMemoryError e) {
            diagnostics.add(new RuleDiagnostic(whole, "took more memory than there is"));
        } catch (RuntimeException e) {
            diagnostics.add(
                    new RuleDiagnostic(whole, PrintableText.of(e.toString(), RuleLog.LINE)));
        } finally {
            loading = false;
            cell.budget = outer;
        }
    }

    private void define(ScriptableObject natives, String name, BuiltIn.Body body) {
        natives.put(name, natives, new BuiltIn(global, name, 1, body));
    }

    private Object add(RuleFunctions functions, String name, Object[] arguments) {
        if (!loading) {
            throw ScriptRuntime.constructError(
                    "Error", "polkit." + name + ": only while the files are loaded");
        }
        if (!(BuiltIn.argument(arguments, 0) instanceof Function function)) {
            throw ScriptRuntime.typeError("polkit." + name + ": not a function");
        }
        if (functions.size() >= MAX_FUNCTIONS) {
            throw ScriptRuntime.constructError(
                    "Error", "polkit." + name + ": more than " + MAX_FUNCTIONS + " functions");
        }
        functions.add(ScriptPlace.ofCaller(), function);
        return Undefined.instance;
    }

    private Object log(Object[] arguments) {
        String text = Context.toString(BuiltIn.argument(arguments, 0));
        Evaluation<?> evaluation = Sandbox.current().evaluation;
        if (evaluation == null || evaluation.mayLog()) {
            log.log(ScriptPlace.ofCaller(), PrintableText.of(text, RuleLog.LINE));
        }
        return Undefined.instance;
    }

    private Object start(Sandbox.Cell cell, Object[] arguments) {
        return programs.start(cell, BuiltIn.argument(arguments, 0));
    }

    /** From now on, logs go there. */
    void logTo(RuleLog log) {
        this.log = log;
    }

    void tell(Place place, String text) {
        log.log(place, PrintableText.of(text, RuleLog.LINE));
    }

    /** What was run in it. */
    RuleFiles files() {
        return files;
    }

    RuleLimits limits() {
        return limits;
    }

    ScriptableObject global() {
        return global;
    }

    RuleFunctions rules() {
        return rules;
    }

    RuleFunctions adminRules() {
        return adminRules;
    }

    /** What was wrong with the files. */
    List<RuleDiagnostic> diagnostics() {
        return diagnostics;
    }

    /** Something was ended by force in the middle of what it did: not to be used again. */
    void spoil() {
        broken = true;
    }

    /** Whether one more evaluation may begin. */
    boolean serves() {
        return !broken && servings++ < limits.servings();
    }

    Scriptable action(Sandbox.Cell cell, RuleAction action) {
        ScriptableObject object = (ScriptableObject) cell.newObject(global);
        object.setPrototype(actionPrototype);
        object.defineProperty(
                "id", action.id(), ScriptableObject.READONLY | ScriptableObject.PERMANENT);
        action.details().forEach((key, value) -> object.put("_detail_" + key, object, value));
        return object;
    }

    SubjectObject subject(RuleSubject subject) {
        return new SubjectObject(subject, global, subjectPrototype);
    }
}
