package io.holdfast.journal;

import io.holdfast.core.testkit.ApiText;
import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;

/** The exported API changes only together with its text, which reviews read. */
@SameOnEveryKernel
class ApiTest {
    @Test
    void theTextInTheFolderApiIsThatOfTheClasses() throws Exception {
        ApiText.requireCurrent(Entry.class);
    }
}
