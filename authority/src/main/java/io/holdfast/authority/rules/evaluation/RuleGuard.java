package io.holdfast.authority.rules.evaluation;

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
 * The condition, derived from a function's source, under which the function can have an effect. For
 * an action or a user that is not listed, it returns nothing and has no effect: it consists of
 *
 * <pre>{@code
 * if (action.id == "org.example.a" || action.id == "org.example.b") { … }
 * if (action.id == "org.example.c" && subject.user == "jane" && …) { … }
 * }</pre>
 *
 * An {@code action.id} is a text that scripts cannot change, so that comparing it has no effect and
 * cannot fail. A {@code subject.user} is such a text as long as {@link SubjectObject#userAsText}
 * returns it. Code before the comparison might have an effect: such a function may concern any
 * action. A function with users that runs for one of its actions reads the user before it does
 * anything else, so that no script can notice that the user was looked up earlier.
 *
 * @param actions the actions that it concerns; empty for any action
 * @param users the users that it concerns; empty for any user
 */
record RuleGuard(Optional<Set<String>> actions, Optional<Set<String>> users) {
    /**
     * The maximum number of characters of a function that is analysed; a longer one may concern any
     * action.
     */
    static final int MAX_SOURCE = 1 << 14;

    /** The guard of a function that may concern any action and user. */
    static final RuleGuard NONE = new RuleGuard(Optional.empty(), Optional.empty());

    /**
     * Analyses a function.
     *
     * @param source its source
     */
    static RuleGuard of(String source) {
        if (source.length() > MAX_SOURCE) {
            return NONE;
        }
        try {
            return function(ScriptSource.parse("(" + source + ")", ""))
                    .map(function -> of(function, source.length()))
                    .orElse(NONE);
        } catch (EvaluatorException | StackOverflowError e) {
            return NONE; // such as a method, which is not an expression
        }
    }

    private static Optional<FunctionNode> function(Node script) {
        return script.getFirstChild() instanceof ExpressionStatement statement
                        && unwrapped(statement.getExpression()) instanceof FunctionNode function
                ? Optional.of(function)
                : Optional.empty();
    }

    /**
     * Analyses a function that was parsed with its file.
     *
     * @param length of its source, in characters
     */
    static RuleGuard of(FunctionNode function, int length) {
        if (length > MAX_SOURCE) {
            return NONE;
        }
        List<AstNode> parameters = function.getParams();
        boolean plain =
                !function.isGenerator()
                        && function.getDefaultParams() == null
                        && !function.hasRestParameter()
                        && parameters.stream().allMatch(Name.class::isInstance)
                        && parameters.stream().map(RuleGuard::name).distinct().count()
                                == parameters.size();
        if (!plain || !(function.getBody() instanceof Block body)) {
            return NONE;
        }
        Property action = new Property(parameter(parameters, 0), "id", null);
        Property user = new Property(parameter(parameters, 1), "user", action);
        return new RuleGuard(action.comparedIn(body), user.comparedIn(body));
    }

    /** Returns the name of a parameter; empty, which no expression matches, if it is missing. */
    private static String parameter(List<AstNode> parameters, int index) {
        return index < parameters.size() ? name(parameters.get(index)) : "";
    }

    /**
     * A property that functions compare with texts.
     *
     * @param object the name of its object in the function
     * @param other a property that may be compared before it
     */
    private record Property(String object, String name, @Nullable Property other) {
        /** Returns the texts for one of which the body can have an effect; empty for any text. */
        Optional<Set<String>> comparedIn(Block body) {
            Set<String> texts = new HashSet<>();
            for (Node statement : body) {
                if (!isIdle(statement, texts)) {
                    return Optional.empty();
                }
            }
            return Optional.of(Set.copyOf(texts));
        }

        /** Returns whether a statement has no effect except for the texts that it adds. */
        private boolean isIdle(Node statement, Set<String> texts) {
            return switch (statement) {
                case EmptyStatement _ -> true;
                case ExpressionStatement directive ->
                        directive.getExpression() instanceof StringLiteral;
                case IfStatement choice ->
                        choice.getElsePart() == null && isFalse(choice.getCondition(), texts);
                default -> false;
            };
        }

        /** Returns whether a condition is false, without an effect, except for those texts. */
        private boolean isFalse(AstNode condition, Set<String> texts) {
            return unwrapped(condition) instanceof InfixExpression infix
                    && switch (infix.getType()) {
                        case Token.AND ->
                                isFalse(infix.getLeft(), texts)
                                        || (other != null
                                                && other.isOneOf(infix.getLeft())
                                                && new Property(object, name, null)
                                                        .isFalse(infix.getRight(), texts));
                        case Token.OR ->
                                isFalse(infix.getLeft(), texts) && isFalse(infix.getRight(), texts);
                        default -> comparison(infix).map(texts::add).isPresent();
                    };
        }

        /** Returns whether a condition only compares the property with one or more texts. */
        private boolean isOneOf(AstNode condition) {
            return unwrapped(condition) instanceof InfixExpression infix
                    && (infix.getType() == Token.OR
                            ? isOneOf(infix.getLeft()) && isOneOf(infix.getRight())
                            : comparison(infix).isPresent());
        }

        /** Returns the text that a comparison compares the property with. */
        private Optional<String> comparison(InfixExpression infix) {
            if (infix.getType() != Token.EQ && infix.getType() != Token.SHEQ) {
                return Optional.empty();
            }
            AstNode left = unwrapped(infix.getLeft());
            AstNode right = unwrapped(infix.getRight());
            return isMe(left) ? text(right) : isMe(right) ? text(left) : Optional.empty();
        }

        private boolean isMe(AstNode node) {
            return node instanceof PropertyGet get
                    && get.getTarget() instanceof Name target
                    && target.getIdentifier().equals(object)
                    && get.getProperty().getIdentifier().equals(name);
        }

        private static Optional<String> text(AstNode node) {
            return node instanceof StringLiteral literal
                    ? Optional.of(literal.getValue())
                    : Optional.empty();
        }
    }

    private static String name(AstNode node) {
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
