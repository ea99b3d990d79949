"""What a practitioner would call instead: scikit-learn's LogisticRegression and MLPClassifier, in the notes' names."""
