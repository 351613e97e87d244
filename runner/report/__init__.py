"""What is told: plans, runs and progress as text; it renders facts and decides nothing."""
