package io.holdfast.authority.rules;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Node;
import org.mozilla.javascript.Token;
import org.mozilla.javascript.ast.AstNode;
import org.mozilla.javascript.ast.Block;
import org.mozilla.javascript.ast.EmptyStatement;
import org.mozilla.javascript.ast.ExpressionStatement;
import org.mozilla.javascript.ast.FunctionNode;
import org.mozilla.javascript.ast.IfStatement;
import org.mozilla.javascript.ast.InfixExpression;
import org.mozilla.javascript.ast.Name;
import org.mozilla.javascript.ast.ParenthesizedExpression;
import org.mozilla.javascript.ast.PropertyGet;
import org.mozilla.javascript.ast.StringLiteral;

/**
 * Finds out which actions a function is about, where its text shows that it returns nothing, and
 * does nothing else, for any other: it consists of
 *
 * <pre>{@code
 * if (action.id == "org.example.a" || action.id == "org.example.b") { … }
 * if (action.id == "org.example.c" && …) { … }
 * }</pre>
 *
 * An {@code action.id} is a text that scripts cannot change, so that comparing it has no effect and
 * cannot fail. What stands before the comparison might: such a function is about any action.
 */
final class ActionGuard {
    /** A longer function is about any action, as far as we look. In characters. */
    static final int MAX_SOURCE = 1 << 14;

    private final String action;
    private final Set<String> actions = new HashSet<>();

    private ActionGuard(String action) {
        this.action = action;
    }

    /**
     * @param source of the function
     * @return empty if it may be about any action
     */
    static Optional<Set<String>> of(String source) {
        if (source.length() > MAX_SOURCE || !source.contains("id")) {
            return Optional.empty();
        }
        try {
            return function(ScriptSource.parse("(" + source + ")", ""))
                    .flatMap(ActionGuard::ofFunction);
        } catch (EvaluatorException | StackOverflowError e) {
            return Optional.empty(); // a method, which is no expression
        }
    }

    private static Optional<FunctionNode> function(Node script) {
        return script.getFirstChild() instanceof ExpressionStatement statement
                        && unwrapped(statement.getExpression()) instanceof FunctionNode function
                ? Optional.of(function)
                : Optional.empty();
    }

    private static Optional<Set<String>> ofFunction(FunctionNode function) {
        List<AstNode> parameters = function.getParams();
        boolean plain =
                !function.isGenerator()
                        && function.getDefaultParams() == null
                        && !function.hasRestParameter()
                        && !parameters.isEmpty()
                        && parameters.stream().allMatch(Name.class::isInstance)
                        && parameters.stream().map(ActionGuard::name).distinct().count()
                                == parameters.size();
        if (!plain || !(function.getBody() instanceof Block body)) {
            return Optional.empty();
        }
        ActionGuard guard = new ActionGuard(name(parameters.getFirst()));
        for (Node statement : body) {
            if (!guard.passesOver(statement)) {
                return Optional.empty();
            }
        }
        return Optional.of(Set.copyOf(guard.actions));
    }

    /** Whether it does nothing for other actions, and those are known. */
    private boolean passesOver(Node statement) {
        return switch (statement) {
            case EmptyStatement _ -> true;
            case ExpressionStatement directive ->
                    directive.getExpression() instanceof StringLiteral;
            case IfStatement choice ->
                    choice.getElsePart() == null && isOfActions(choice.getCondition());
            default -> false;
        };
    }

    private boolean isOfActions(AstNode condition) {
        return unwrapped(condition) instanceof InfixExpression infix
                && switch (infix.getType()) {
                    case Token.AND -> isOfActions(infix.getLeft());
                    case Token.OR -> isOfActions(infix.getLeft()) && isOfActions(infix.getRight());
                    case Token.EQ, Token.SHEQ ->
                            isComparison(infix.getLeft(), infix.getRight())
                                    || isComparison(infix.getRight(), infix.getLeft());
                    default -> false;
                };
    }

    private boolean isComparison(AstNode id, AstNode literal) {
        if (unwrapped(id) instanceof PropertyGet get
                && name(get.getTarget()).equals(action)
                && name(get.getProperty()).equals("id")
                && unwrapped(literal) instanceof StringLiteral text) {
            actions.add(text.getValue());
            return true;
        }
        return false;
    }

    /** A name; empty for anything else. */
    private static String name(@Nullable AstNode node) {
        return node instanceof Name name ? name.getIdentifier() : "";
    }

    private static AstNode unwrapped(AstNode node) {
        AstNode inner = node;
        while (inner instanceof ParenthesizedExpression wrapped) {
            inner = wrapped.getExpression();
        }
        return inner;
    }
}
