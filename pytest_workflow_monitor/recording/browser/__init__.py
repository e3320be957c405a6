"""What is seen of the browsers that tests drive through pytest-playwright."""
