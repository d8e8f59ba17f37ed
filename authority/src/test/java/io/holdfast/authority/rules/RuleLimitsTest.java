package io.holdfast.authority.rules;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RuleLimitsTest {
    private static final RuleLimits STANDARD = RuleLimits.STANDARD;

    static Stream<ThrowingCallable> nothingIsLeft() {
        Stream<ThrowingCallable> times =
                Stream.of(Duration.ZERO, Duration.ofNanos(-1))
                        .flatMap(time ->
                                Stream.<ThrowingCallable>of(
                                        () -> STANDARD.withEvaluation(time),
                                        () -> STANDARD.withLoad(time),
                                        () -> STANDARD.withEvaluators(1, 1, time),
                                        () -> STANDARD.withPrograms(1, time, 1)));
        List<ThrowingCallable> numbers =
                List.of(
                        () -> STANDARD.withAllocated(0),
                        () -> STANDARD.withEvaluators(0, 1, STANDARD.patience()),
                        () -> STANDARD.withEvaluators(1, 0, STANDARD.patience()),
                        () -> STANDARD.withServings(0),
                        () -> STANDARD.withPrograms(-1, STANDARD.program(), 1),
                        () -> STANDARD.withPrograms(1, STANDARD.program(), 0));
        return Stream.concat(times, numbers.stream());
    }

    @ParameterizedTest
    @MethodSource("nothingIsLeft")
    void aLimitThatLeavesNothingIsRefused(ThrowingCallable limits) {
        assertThatIllegalArgumentException().isThrownBy(limits);
    }
}
