package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.BuiltIn;
import io.holdfast.authority.rules.sandbox.BuiltIns;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import io.holdfast.authority.rules.sandbox.ScriptPlace;
import io.holdfast.core.text.PrintableText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.NativeObject;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Undefined;

/**
 * The global scope of one evaluation: its own {@code polkit}, {@code Action}, {@code Subject} and
 * globals, which inherits from {@link BuiltIns}. The rules files run in it, and it is discarded
 * after the evaluation, so that no other evaluation sees what a script changes. Used by one thread
 * at a time.
 */
public final class Realm {
    /**
     * The maximum number of functions that one run of a file may add, rules and admin rules
     * together.
     */
    static final int MAX_FUNCTIONS = 100_000;

    private final ProgramRuns programs;
    private final ScriptableObject global;
    private final ScriptableObject actionPrototype;
    private final ScriptableObject subjectPrototype;
    private @Nullable FileRun file;
    private @Nullable Evaluation<?> evaluation;
    private RuleLog log = RuleLog.NOWHERE;

    /**
     * Makes a realm without any rules.
     *
     * @param builtIns those of the scripts
     * @param log receives the log lines of the scripts
     */
    public Realm(
            RuleSandbox.Cell cell,
            RuleSandbox sandbox,
            BuiltIns builtIns,
            ProgramRuns programs,
            RuleLog log) {
        this.programs = programs;
        this.log = log;
        global = builtIns.global();
        ScriptableObject natives = (ScriptableObject) cell.newObject(global);
        put(natives, "start", (each, _, given) -> start(each, BuiltIn.argument(given, 0)));
        put(natives, "outcome", (_, _, given) -> ProgramOutcome.result(given[0]));
        put(
                natives,
                "isInGroup",
                (_, self, given) ->
                        self instanceof SubjectObject subject
                                && subject.isInGroup(Context.toString(BuiltIn.argument(given, 0))));
        put(
                natives,
                "isInNetGroup",
                (_, self, given) ->
                        self instanceof SubjectObject subject
                                && subject.isInNetGroup(
                                        Context.toString(BuiltIn.argument(given, 0))));
        Function prelude = (Function) sandbox.prelude(cell).exec(cell, global, global);
        NativeArray made = (NativeArray) prelude.call(cell, global, global, new Object[] {natives});
        actionPrototype = type("Action", (Function) made.get(0));
        subjectPrototype = type("Subject", (Function) made.get(1));
        ScriptableObject polkit = new PolkitObject(global);
        put(polkit, "addRule", (_, _, given) -> add(Kind.RULE, given));
        put(polkit, "addAdminRule", (_, _, given) -> add(Kind.ADMIN_RULE, given));
        put(polkit, "log", (_, _, given) -> log(given));
        polkit.defineProperty("spawn", made.get(2), FIXED);
        polkit.defineProperty("Result", results(cell), FIXED);
        boolean _ = polkit.preventExtensions();
        global.defineProperty("polkit", polkit, FIXED | ScriptableObject.DONTENUM);
    }

    /** The attributes of a property that no script can change. */
    private static final int FIXED = ScriptableObject.READONLY | ScriptableObject.PERMANENT;

    private void put(ScriptableObject holder, String name, BuiltIn.Body body) {
        holder.defineProperty(name, new BuiltIn(global, name, body), FIXED);
    }

    /** Defines a constructor; returns the prototype of its objects. */
    private ScriptableObject type(String name, Function constructor) {
        global.defineProperty(name, constructor, FIXED | ScriptableObject.DONTENUM);
        ScriptableObject prototype = (ScriptableObject) constructor.get("prototype", constructor);
        for (Object id : prototype.getIds()) {
            prototype.setAttributes(id.toString(), ScriptableObject.DONTENUM);
        }
        return prototype;
    }

    private ScriptableObject results(RuleSandbox.Cell cell) {
        ScriptableObject results = (ScriptableObject) cell.newObject(global);
        for (ImplicitAuthorization each : ImplicitAuthorization.values()) {
            results.defineProperty(each.name(), each.word(), FIXED);
        }
        results.put("NOT_HANDLED", results, null);
        results.setAttributes("NOT_HANDLED", FIXED);
        boolean _ = results.preventExtensions();
        return results;
    }

    /** The object {@code polkit}: it throws if a script assigns to one of its functions. */
    private static final class PolkitObject extends NativeObject {
        private static final long serialVersionUID = 1L;

        PolkitObject(ScriptableObject global) {
            setParentScope(global);
            setPrototype(ScriptableObject.getObjectPrototype(global));
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // this very object, not one that inherits from it
        public void put(String name, Scriptable start, Object value) {
            if (start == this && has(name, this) && !name.equals("Result")) {
                throw ScriptRuntime.typeError("polkit." + name + " is to be called, not set");
            }
            super.put(name, start, value);
        }
    }

    /** The two kinds of functions that files add. */
    enum Kind {
        RULE("addRule"),
        ADMIN_RULE("addAdminRule");

        private final String method;

        Kind(String method) {
            this.method = method;
        }

        /** Returns the method of {@code polkit} that adds such a function. */
        String method() {
            return method;
        }
    }

    /** A function that a file has added. */
    record Added(Kind kind, SourceLine place, Function function) {}

    /**
     * A run of a file in this realm.
     *
     * @param outcomes of the programs that the file ran at its load, in order; null if this is the
     *     load
     */
    private record FileRun(
            List<Added> added,
            List<ProgramOutcome.OfCommand> ran,
            @Nullable List<ProgramOutcome.OfCommand> outcomes) {}

    /**
     * Runs a file for its load.
     *
     * @param added receives the functions that it adds, in order, even if it then fails
     * @param ran receives the programs that it runs, with their outcomes
     */
    void load(
            RuleFileCode code,
            RuleSandbox.Cell cell,
            List<Added> added,
            List<ProgramOutcome.OfCommand> ran) {
        run(code, cell, new FileRun(added, ran, null));
    }

    /**
     * Runs a file again, in the same way as at its load: its programs are not run, but have the
     * same outcomes.
     *
     * @param added receives the functions that it adds, in order, even if it then fails
     */
    void runAgain(
            RuleFileCode code,
            RuleSandbox.Cell cell,
            List<ProgramOutcome.OfCommand> outcomes,
            List<Added> added) {
        run(code, cell, new FileRun(added, new ArrayList<>(), outcomes));
    }

    private void run(RuleFileCode code, RuleSandbox.Cell cell, FileRun run) {
        file = run;
        try {
            Object _ = code.script().exec(cell, global, global);
        } finally {
            file = null;
        }
    }

    /** Makes the scripts of this realm run for an evaluation from now on. */
    void attach(Evaluation<?> evaluation, RuleLog log) {
        this.evaluation = evaluation;
        this.log = log;
    }

    private Object add(Kind kind, Object[] arguments) {
        FileRun run = file;
        if (run == null) {
            throw ScriptRuntime.constructError(
                    "Error", "polkit." + kind.method() + ": only while the files are loaded");
        }
        if (!(BuiltIn.argument(arguments, 0) instanceof Function function)) {
            throw ScriptRuntime.typeError("polkit." + kind.method() + ": not a function");
        }
        if (run.added().size() >= MAX_FUNCTIONS) {
            throw ScriptRuntime.constructError(
                    "Error",
                    "polkit." + kind.method() + ": more than " + MAX_FUNCTIONS + " functions");
        }
        run.added().add(new Added(kind, ScriptPlace.ofCaller(), function));
        return Undefined.instance;
    }

    private Object log(Object[] arguments) {
        String text = Context.toString(BuiltIn.argument(arguments, 0));
        String line = PrintableText.of(text, RuleLog.LINE);
        if (evaluation == null) {
            log.log(ScriptPlace.ofCaller(), line);
        } else if (evaluation.mayLog()) {
            log.log(evaluation.owner(), ScriptPlace.ofCaller(), line);
        }
        return Undefined.instance;
    }

    /** Runs {@code polkit.spawn} up to the outcome of the program. */
    private Object start(RuleSandbox.Cell cell, Object argument) {
        List<String> command = ProgramRuns.command(argument);
        FileRun run = file;
        if (run == null) {
            return programs.start(cell, evaluation, command);
        }
        if (run.outcomes() == null) {
            ProgramOutcome outcome = programs.await(cell, evaluation, command);
            run.ran().add(new ProgramOutcome.OfCommand(command, outcome));
            return outcome.toScript();
        }
        int next = run.ran().size();
        if (next >= run.outcomes().size() || !run.outcomes().get(next).command().equals(command)) {
            throw Abort.of("polkit.spawn: the file runs other programs than when it was loaded");
        }
        run.ran().add(run.outcomes().get(next));
        return run.outcomes().get(next).outcome().toScript();
    }

    public ScriptableObject global() {
        return global;
    }

    /** Makes an action as scripts see it. */
    Scriptable action(RuleSandbox.Cell cell, RuleAction action) {
        ScriptableObject object = (ScriptableObject) cell.newObject(global);
        object.setPrototype(actionPrototype);
        object.defineProperty(
                "id", action.id(), ScriptableObject.READONLY | ScriptableObject.PERMANENT);
        for (Map.Entry<String, String> detail : action.details().entrySet()) {
            if (detail.getValue().length() > RuleLimits.TEXT) {
                throw Abort.of(
                        "the detail %s has %d characters, and the limit is %d"
                                .formatted(
                                        PrintableText.of(detail.getKey(), RuleLog.LINE),
                                        detail.getValue().length(),
                                        RuleLimits.TEXT));
            }
            object.put("_detail_" + detail.getKey(), object, detail.getValue());
        }
        return object;
    }

    /** Makes a subject as scripts see it. */
    SubjectObject subject(RuleSubject subject) {
        return new SubjectObject(subject, global, subjectPrototype);
    }
}
