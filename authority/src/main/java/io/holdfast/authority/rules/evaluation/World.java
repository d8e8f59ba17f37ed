package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.action.Place;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.BuiltIn;
import io.holdfast.authority.rules.sandbox.BuiltIns;
import io.holdfast.authority.rules.sandbox.Sandbox;
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
 * What the scripts of one evaluation see: built-in functions, {@code polkit} and globals of its
 * own. It is made for the evaluation, runs the rules files in itself, and is forgotten with it, so
 * that nothing that a script changes is seen by another evaluation. By one thread at a time.
 */
public final class World {
    /** Functions that files may add, rules and admin rules each. */
    static final int MAX_FUNCTIONS = 100_000;

    private final RuleLimits limits;
    private final ProgramRuns programs;
    private final ScriptableObject global;
    private final ScriptableObject actionPrototype;
    private final ScriptableObject subjectPrototype;
    private @Nullable FileRun file;
    private @Nullable Evaluation<?> evaluation;
    private RuleLog log = RuleLog.NOWHERE;

    /**
     * Makes a world without any rules.
     *
     * @param log gets what the scripts log
     */
    public World(Sandbox.Cell cell, Sandbox sandbox, ProgramRuns programs, RuleLog log) {
        this.limits = sandbox.limits();
        this.programs = programs;
        this.log = log;
        global = BuiltIns.create(cell);
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
        BuiltIns.hideAll(global);
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

    /** What no script can change. */
    private static final int FIXED = ScriptableObject.READONLY | ScriptableObject.PERMANENT;

    private void put(ScriptableObject holder, String name, BuiltIn.Body body) {
        holder.defineProperty(name, new BuiltIn(global, name, body), FIXED);
    }

    /** Makes a constructor known; returns the prototype of its objects. */
    private ScriptableObject type(String name, Function constructor) {
        global.defineProperty(name, constructor, FIXED | ScriptableObject.DONTENUM);
        ScriptableObject prototype = (ScriptableObject) constructor.get("prototype", constructor);
        for (Object id : prototype.getIds()) {
            prototype.setAttributes(id.toString(), ScriptableObject.DONTENUM);
        }
        return prototype;
    }

    private ScriptableObject results(Sandbox.Cell cell) {
        ScriptableObject results = (ScriptableObject) cell.newObject(global);
        for (ImplicitAuthorization each : ImplicitAuthorization.values()) {
            results.defineProperty(each.name(), each.word(), FIXED);
        }
        results.put("NOT_HANDLED", results, null);
        results.setAttributes("NOT_HANDLED", FIXED);
        boolean _ = results.preventExtensions();
        return results;
    }

    /** {@code polkit}: it says so when a script sets what is to be called. */
    private static final class PolkitObject extends NativeObject {
        private static final long serialVersionUID = 1L;

        PolkitObject(ScriptableObject global) {
            setParentScope(global);
            setPrototype(ScriptableObject.getObjectPrototype(global));
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // the very object, not one that is set through it
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

        /** The method of {@code polkit} that adds one. */
        String method() {
            return method;
        }
    }

    /** A function that a file has added while it ran. */
    record Added(Kind kind, Place place, Function function) {}

    /**
     * A file that runs in this world.
     *
     * @param outcomes of the programs that it ran when it was loaded, in order; null if it is
     *     loaded now
     */
    private record FileRun(
            List<Added> added,
            List<ProgramOutcome.OfCommand> ran,
            @Nullable List<ProgramOutcome.OfCommand> outcomes) {}

    /**
     * Runs a file that is being loaded.
     *
     * @param added gets the functions that it adds, in order, also if it then fails
     */
    void load(
            RuleFileCode code,
            Sandbox.Cell cell,
            List<Added> added,
            List<ProgramOutcome.OfCommand> ran) {
        run(code, cell, new FileRun(added, ran, null));
    }

    /**
     * Runs a file again, as it ran when it was loaded: the programs that it runs have the outcomes
     * that they had then.
     *
     * @param added gets the functions that it adds, in order, also if it then fails
     */
    void runAgain(
            RuleFileCode code,
            Sandbox.Cell cell,
            List<ProgramOutcome.OfCommand> outcomes,
            List<Added> added) {
        run(code, cell, new FileRun(added, new ArrayList<>(), outcomes));
    }

    private void run(RuleFileCode code, Sandbox.Cell cell, FileRun run) {
        file = run;
        try {
            Object _ = code.script().exec(cell, global, global);
        } finally {
            file = null;
        }
    }

    /** From now on its scripts run for an evaluation. */
    void serve(Evaluation<?> evaluation, RuleLog log) {
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
        if (evaluation == null || evaluation.mayLog()) {
            log.log(ScriptPlace.ofCaller(), PrintableText.of(text, RuleLog.LINE));
        }
        return Undefined.instance;
    }

    /** {@code polkit.spawn}, up to the outcome of the program. */
    private Object start(Sandbox.Cell cell, Object argument) {
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

    /** An action as scripts see it. */
    Scriptable action(Sandbox.Cell cell, RuleAction action) {
        ScriptableObject object = (ScriptableObject) cell.newObject(global);
        object.setPrototype(actionPrototype);
        object.defineProperty(
                "id", action.id(), ScriptableObject.READONLY | ScriptableObject.PERMANENT);
        for (Map.Entry<String, String> detail : action.details().entrySet()) {
            if (detail.getValue().length() > limits.text()) {
                throw Abort.of(
                        "the detail %s has %d characters, and the limit is %d"
                                .formatted(
                                        PrintableText.of(detail.getKey(), RuleLog.LINE),
                                        detail.getValue().length(),
                                        limits.text()));
            }
            object.put("_detail_" + detail.getKey(), object, detail.getValue());
        }
        return object;
    }

    /** A subject as scripts see it. */
    SubjectObject subject(RuleSubject subject) {
        return new SubjectObject(subject, global, subjectPrototype);
    }
}
