package org.example;

import io.holdfast.core.scope.ProcessScope;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** A web service that runs programs. */
@SpringBootApplication
public class Application {
    static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    /**
     * All jobs: Spring closes the scope with the application, and that ends what is left of them.
     */
    @Bean
    ProcessScope jobs() {
        return ProcessScope.open();
    }
}
