package io.holdfast.authority.rules.engine;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleFiles.RuleFile;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.evaluation.ScriptSource;
import io.holdfast.authority.rules.evaluation.SubjectObject;
import io.holdfast.authority.rules.sandbox.BuiltIns;
import io.holdfast.core.text.EditDistance;
import io.holdfast.core.text.PrintableText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Node;
import org.mozilla.javascript.Token;
import org.mozilla.javascript.ast.Assignment;
import org.mozilla.javascript.ast.AstNode;
import org.mozilla.javascript.ast.AstRoot;
import org.mozilla.javascript.ast.Block;
import org.mozilla.javascript.ast.ConditionalExpression;
import org.mozilla.javascript.ast.DoLoop;
import org.mozilla.javascript.ast.ElementGet;
import org.mozilla.javascript.ast.ExpressionStatement;
import org.mozilla.javascript.ast.ForLoop;
import org.mozilla.javascript.ast.FunctionCall;
import org.mozilla.javascript.ast.FunctionNode;
import org.mozilla.javascript.ast.IfStatement;
import org.mozilla.javascript.ast.InfixExpression;
import org.mozilla.javascript.ast.Name;
import org.mozilla.javascript.ast.NodeVisitor;
import org.mozilla.javascript.ast.ParenthesizedExpression;
import org.mozilla.javascript.ast.PropertyGet;
import org.mozilla.javascript.ast.ReturnStatement;
import org.mozilla.javascript.ast.Scope;
import org.mozilla.javascript.ast.StringLiteral;
import org.mozilla.javascript.ast.SwitchCase;
import org.mozilla.javascript.ast.SwitchStatement;
import org.mozilla.javascript.ast.UpdateExpression;
import org.mozilla.javascript.ast.WhileLoop;

/**
 * Checks rules files for probable mistakes, without running them: an unknown property, an invalid
 * result, an unknown action, an assignment instead of a comparison, an assignment to a global
 * variable or to a built-in object, and rules that no check can reach.
 */
public final class RuleLint {
    private static final Set<String> RESULTS =
            words("NO YES AUTH_SELF AUTH_SELF_KEEP AUTH_ADMIN AUTH_ADMIN_KEEP NOT_HANDLED");
    private static final Set<String> POLKIT =
            Set.of("addRule", "addAdminRule", "log", "spawn", "Result");
    private static final Set<String> OF_OBJECTS =
            Set.of("toString", "hasOwnProperty", "constructor", "toLocaleString");
    private static final Set<String> OF_ARRAYS =
            words(
                    "length indexOf lastIndexOf includes some every filter map forEach find"
                            + " findIndex join slice sort concat reduce keys values entries reverse"
                            + " at");

    private static Set<String> words(String text) {
        return Set.of(text.split(" ", -1));
    }

    private final Set<String> actions;
    private final List<RuleDiagnostic> diagnostics = new ArrayList<>();
    private @Nullable SourceLine unconditional;
    private @Nullable SourceLine unconditionalAdmin;

    private RuleLint(Set<String> actions) {
        this.actions = actions;
    }

    /**
     * Checks rules files.
     *
     * @param files in the order in which they run
     * @param actions the known actions; empty to skip that check
     * @return the diagnostics, in the order of files and lines
     */
    public static List<RuleDiagnostic> check(RuleFiles files, Set<String> actions) {
        RuleLint lint = new RuleLint(actions);
        lint.diagnostics.addAll(files.diagnostics());
        for (RuleFile file : files.files()) {
            lint.check(file);
        }
        return List.copyOf(lint.diagnostics);
    }

    private void check(RuleFile file) {
        List<RuleDiagnostic> found = new ArrayList<>();
        try {
            ScriptSource.walk(
                    ScriptSource.parse(file.source(), file.path().toString()),
                    new Reader(file.path(), found));
        } catch (EvaluatorException e) {
            found.add(
                    new RuleDiagnostic(
                            new SourceLine(file.path(), Math.max(e.lineNumber(), 0)),
                            PrintableText.of(e.details(), RuleLog.LINE)));
        } catch (StackOverflowError e) {
            found.add(new RuleDiagnostic(new SourceLine(file.path(), 0), "nests too deeply"));
        }
        found.sort(Comparator.comparingInt(diagnostic -> diagnostic.place().line()));
        diagnostics.addAll(found);
    }

    /** Visits the syntax tree of one file. */
    private final class Reader implements NodeVisitor {
        private final Path path;
        private final List<RuleDiagnostic> found;

        /** The parameter names of the rule that is visited, or of the last one. */
        private String action = "action";

        private String subject = "subject";

        Reader(Path path, List<RuleDiagnostic> found) {
            this.path = path;
            this.found = found;
        }

        private SourceLine place(AstNode node) {
            return new SourceLine(path, node.getLineno());
        }

        private void report(AstNode node, String message) {
            found.add(new RuleDiagnostic(place(node), message));
        }

        @Override
        public boolean visit(AstNode node) {
            switch (node) {
                case FunctionCall call -> readCall(call);
                case PropertyGet get -> readProperty(get);
                case IfStatement branch -> readCondition(branch.getCondition());
                case ConditionalExpression choice -> readCondition(choice.getTestExpression());
                case WhileLoop loop -> readCondition(loop.getCondition());
                case DoLoop loop -> readCondition(loop.getCondition());
                case ForLoop loop -> readCondition(loop.getCondition());
                case SwitchStatement choice -> readSwitch(choice);
                case Assignment assignment -> {
                    readTarget(assignment.getLeft());
                    readComparison(assignment);
                }
                case UpdateExpression update -> readTarget(update.getOperand());
                case InfixExpression infix -> readComparison(infix);
                default -> {}
            }
            return true;
        }

        private void readCall(FunctionCall call) {
            String name = dotted(call.getTarget());
            boolean admin = name.equals("polkit.addAdminRule");
            if ((!admin && !name.equals("polkit.addRule"))
                    || call.getArguments().size() != 1
                    || !(call.getArguments().getFirst() instanceof FunctionNode rule)) {
                return;
            }
            action = parameter(rule, 0, "action");
            subject = parameter(rule, 1, "subject");
            SourceLine before = admin ? unconditionalAdmin : unconditional;
            if (before != null) {
                report(call, "unreachable rule: " + before + " answers every check");
            } else if (isUnconditional(rule, admin) && isTopLevel(call)) {
                if (admin) {
                    unconditionalAdmin = place(call);
                } else {
                    unconditional = place(call);
                }
            }
            readReturns(rule, admin);
        }

        /** Reports an assignment of a function to a global variable, or to a member of one. */
        private void readTarget(AstNode target) {
            AstNode root = target;
            while (root instanceof PropertyGet || root instanceof ElementGet) {
                root =
                        root instanceof PropertyGet get
                                ? get.getTarget()
                                : ((ElementGet) root).getTarget();
            }
            readBuiltIn(target, root);
            if (root instanceof Name name
                    && name.getEnclosingFunction() != null
                    && isGlobal(name)
                    && !BuiltIns.has(name.getIdentifier())) {
                report(
                        name,
                        "the change of the global "
                                + name.getIdentifier()
                                + " is lost after the check: each one begins with the values from"
                                + " the files");
            }
        }

        /** Reports an assignment to a member of a built-in object. */
        private void readBuiltIn(AstNode target, AstNode root) {
            if (!(target instanceof Name)
                    && root instanceof Name name
                    && BuiltIns.has(name.getIdentifier())
                    && isGlobal(name)) {
                report(
                        name,
                        "the change of the built-in "
                                + name.getIdentifier()
                                + " makes every check slower: each one makes built-in objects of"
                                + " its own");
            }
        }

        private static boolean isGlobal(Name name) {
            AstNode around = name.getParent();
            while (around != null && !(around instanceof AstRoot)) {
                if (around instanceof Scope scope
                        && scope.getSymbol(name.getIdentifier()) != null) {
                    return false;
                }
                around = around.getParent();
            }
            return true;
        }

        private static String parameter(FunctionNode rule, int index, String usual) {
            return rule.getParams().size() > index && rule.getParams().get(index) instanceof Name n
                    ? n.getIdentifier()
                    : usual;
        }

        private static boolean isTopLevel(AstNode call) {
            return call.getParent() instanceof ExpressionStatement statement
                    && statement.getParent() instanceof AstRoot;
        }

        private boolean isUnconditional(FunctionNode rule, boolean admin) {
            AstNode body = rule.getBody();
            if (!(body instanceof Block)) {
                return isAnswer(body, admin); // the expression of an arrow function
            }
            for (Node statement : body) {
                if (statement instanceof ReturnStatement answer) {
                    return answer.getReturnValue() != null
                            && isAnswer(answer.getReturnValue(), admin);
                }
                if (mayReturn(statement)) {
                    return false;
                }
            }
            return false;
        }

        private static boolean mayReturn(Node statement) {
            boolean[] returns = {false};
            if (statement instanceof AstNode node) {
                ScriptSource.walk(
                        node,
                        inner -> {
                            returns[0] |=
                                    inner instanceof ReturnStatement
                                            || inner.getType() == Token.THROW;
                            return !(inner instanceof FunctionNode);
                        });
            }
            return returns[0];
        }

        private static boolean isAnswer(AstNode value, boolean admin) {
            AstNode bare = bare(value);
            if (admin) {
                return bare.getType() == Token.ARRAYLIT;
            }
            String name = dotted(bare);
            return bare instanceof StringLiteral text
                    ? !text.getValue().isEmpty()
                    : name.startsWith("polkit.Result.")
                            && RESULTS.contains(name.substring("polkit.Result.".length()))
                            && !name.endsWith(".NOT_HANDLED");
        }

        private void readReturns(FunctionNode rule, boolean admin) {
            if (admin) {
                return;
            }
            if (!(rule.getBody() instanceof Block)) {
                readResult(rule.getBody());
                return;
            }
            ScriptSource.walk(
                    rule.getBody(),
                    node -> {
                        if (node instanceof ReturnStatement answer
                                && answer.getReturnValue() != null) {
                            readResult(answer.getReturnValue());
                        }
                        return !(node instanceof FunctionNode);
                    });
        }

        private void readResult(AstNode value) {
            AstNode bare = bare(value);
            switch (bare) {
                case ConditionalExpression choice -> {
                    readResult(choice.getTrueExpression());
                    readResult(choice.getFalseExpression());
                }
                case StringLiteral text
                        when !text.getValue().isEmpty()
                                && ImplicitAuthorization.ofWord(text.getValue()).isEmpty() ->
                        report(
                                bare,
                                "invalid result \"" + text.getValue() + "\", treated as \"no\"");
                default -> {
                    if (bare.getType() == Token.TRUE || bare.getType() == Token.NUMBER) {
                        report(bare, "invalid result " + bare.toSource() + ", treated as \"no\"");
                    }
                }
            }
        }

        private void readProperty(PropertyGet get) {
            String target = dotted(get.getTarget());
            String property = get.getProperty().getIdentifier();
            if (target.equals("polkit.Result")) {
                reportUnknown(get, target, property, RESULTS);
            } else if (target.equals("polkit")) {
                reportUnknown(get, target, property, POLKIT);
            } else if (target.equals(subject) && !subject.isEmpty()) {
                Set<String> known = new TreeSet<>(SubjectObject.names());
                known.add("isInGroup");
                known.add("isInNetGroup");
                reportUnknown(get, target, property, known);
            } else if (target.equals(action) && !property.startsWith("_detail_")) {
                reportUnknown(get, target, property, Set.of("id", "lookup"));
            } else if (target.equals(subject + ".groups") && !OF_ARRAYS.contains(property)) {
                report(
                        get,
                        "there is no "
                                + target
                                + "."
                                + property
                                + "; did you mean "
                                + subject
                                + ".isInGroup?");
            }
        }

        private void reportUnknown(
                AstNode node, String target, String property, Set<String> known) {
            if (known.contains(property) || OF_OBJECTS.contains(property)) {
                return;
            }
            String nearest =
                    known.stream()
                            .min(
                                    Comparator.<String>comparingInt(
                                                    name -> EditDistance.of(property, name))
                                            .thenComparing(Comparator.naturalOrder()))
                            .filter(name ->
                                    EditDistance.of(property, name)
                                            <= Math.max(1, name.length() / 2))
                            .map(name -> "; did you mean " + name + "?")
                            .orElse("");
            report(node, "there is no " + target + "." + property + nearest);
        }

        private void readCondition(AstNode condition) {
            AstNode bare = bare(condition);
            if (bare instanceof Assignment) {
                report(bare, "an assignment as a condition; did you mean ==?");
            } else if (bare instanceof InfixExpression infix
                    && (infix.getType() == Token.AND || infix.getType() == Token.OR)) {
                readCondition(infix.getLeft());
                readCondition(infix.getRight());
            }
        }

        private void readComparison(InfixExpression infix) {
            switch (infix.getType()) {
                case Token.EQ, Token.SHEQ, Token.NE, Token.SHNE -> {
                    readId(infix.getLeft(), infix.getRight());
                    readId(infix.getRight(), infix.getLeft());
                }
                default -> {}
            }
        }

        private void readSwitch(SwitchStatement choice) {
            for (SwitchCase label : choice.getCases()) {
                if (label.getExpression() != null) {
                    readId(choice.getExpression(), label.getExpression());
                }
            }
        }

        private void readId(AstNode id, AstNode value) {
            if (!actions.isEmpty()
                    && dotted(bare(id)).equals(action + ".id")
                    && bare(value) instanceof StringLiteral text
                    && !actions.contains(text.getValue())) {
                report(value, "no action is called \"" + text.getValue() + "\"");
            }
        }
    }

    private static AstNode bare(AstNode node) {
        AstNode bare = node;
        while (bare instanceof ParenthesizedExpression parenthesized) {
            bare = parenthesized.getExpression();
        }
        return bare;
    }

    /** Returns {@code a.b.c} for such an expression; otherwise an empty string. */
    private static String dotted(AstNode node) {
        return switch (node) {
            case Name name -> name.getIdentifier();
            case PropertyGet get -> {
                String target = dotted(get.getTarget());
                yield target.isEmpty() ? "" : target + "." + get.getProperty().getIdentifier();
            }
            default -> "";
        };
    }
}
