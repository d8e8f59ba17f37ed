package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleFiles.RuleFile;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.Node;
import org.mozilla.javascript.Script;
import org.mozilla.javascript.ast.AstNode;
import org.mozilla.javascript.ast.AstRoot;
import org.mozilla.javascript.ast.ExpressionStatement;
import org.mozilla.javascript.ast.FunctionCall;
import org.mozilla.javascript.ast.FunctionNode;
import org.mozilla.javascript.ast.Name;
import org.mozilla.javascript.ast.PropertyGet;
import org.mozilla.javascript.ast.TaggedTemplateLiteral;

/**
 * A compiled rules file. Most files consist only of statements that add a rule: their effect is
 * known without running them, and a rule that does not concern the action of a check need not exist
 * in its realm. Any other file runs as a whole.
 *
 * @param script the file as a whole
 * @param rules its statements that do nothing but add a rule
 * @param isRulesOnly whether it has no other statements
 */
record RuleFileCode(Path path, Script script, List<Statement> rules, boolean isRulesOnly) {
    /** A statement {@code polkit.addRule(function…)} or {@code polkit.addAdminRule(function…)}. */
    record Statement(Realm.Kind kind, RuleFunction function) {}

    /**
     * Compiles a file.
     *
     * @throws EvaluatorException if it is not a valid script
     */
    static RuleFileCode compile(RuleSandbox.Cell cell, RuleFile file) {
        String name = file.path().toString();
        Script whole = cell.compileString(file.source(), name, 1, null);
        AstRoot root = ScriptSource.parse(file.source(), name);
        ScriptSource.walk(root, node -> refuseTagged(node, name));
        List<Statement> rules = new ArrayList<>();
        boolean isRulesOnly = true;
        for (Node statement : root) {
            Optional<Statement> rule = rule(cell, file, statement);
            rule.ifPresent(rules::add);
            isRulesOnly &= rule.isPresent();
        }
        return new RuleFileCode(file.path(), whole, rules, isRulesOnly);
    }

    /** Refuses tagged templates: the interpreter keeps their parts for the next evaluation. */
    private static boolean refuseTagged(AstNode node, String file) {
        if (node instanceof TaggedTemplateLiteral) {
            throw new EvaluatorException(
                    "tagged templates are not supported", file, node.getLineno());
        }
        return true;
    }

    private static Optional<Statement> rule(RuleSandbox.Cell cell, RuleFile file, Node statement) {
        if (!(statement instanceof ExpressionStatement expression
                && expression.getExpression() instanceof FunctionCall call
                && call.getClass() == FunctionCall.class
                && call.getArguments().size() == 1
                && call.getArguments().getFirst() instanceof FunctionNode function)) {
            return Optional.empty();
        }
        Realm.Kind kind = kind(call.getTarget());
        if (kind == null) {
            return Optional.empty();
        }
        int begin = call.getAbsolutePosition() + call.getLp() + 1;
        int end = call.getAbsolutePosition() + call.getRp();
        int line =
                1 + (int) file.source().substring(0, begin).chars().filter(c -> c == '\n').count();
        Script script;
        try {
            script =
                    cell.compileString(
                            "(" + file.source().substring(begin, end) + ")",
                            file.path().toString(),
                            line,
                            null);
        } catch (EvaluatorException | StringIndexOutOfBoundsException e) {
            return Optional.empty(); // such as a comma after the function
        }
        return Optional.of(
                new Statement(
                        kind,
                        new RuleFunction(
                                new SourceLine(file.path(), statement.getLineno()),
                                RuleFunction.actions(function),
                                (each, realm) ->
                                        (Function)
                                                script.exec(
                                                        each, realm.global(), realm.global()))));
    }

    private static Realm.@Nullable Kind kind(AstNode called) {
        if (called instanceof PropertyGet property
                && property.getTarget() instanceof Name object
                && object.getIdentifier().equals("polkit")) {
            for (Realm.Kind kind : Realm.Kind.values()) {
                if (property.getProperty().getIdentifier().equals(kind.method())) {
                    return kind;
                }
            }
        }
        return null;
    }
}
